// Two sockets of the daemon in one place: refused where they are in each other's way, and only there.

import Daemon
import XCTest

final class EndpointCollisionTests: XCTestCase {
    private func mistakes(connecting endpoint: String) -> String {
        do {
            let text = """
                allow_plaintext: true
                publish: {endpoint: "tcp://0.0.0.0:5557"}
                sources: [{name: far, endpoint: "\(endpoint)", role: connect}]
                """
            _ = try ConfigurationLoader.load(file: ("c.yaml", text), environment: [:], assignments: [])
            return ""
        } catch {
            return "\(error)"
        }
    }

    func testAConnectionToAnotherMachineLeavesThePortFreeHere() {
        XCTAssertEqual(mistakes(connecting: "tcp://camera:5557"), "")
        XCTAssertEqual(mistakes(connecting: "tcp://192.168.1.7:5557"), "")
    }

    func testAConnectionToThisMachineDoesNot() {
        for endpoint in ["tcp://localhost:5557", "tcp://127.0.0.1:5557"] {
            XCTAssertEqual(
                mistakes(connecting: endpoint),
                "c.yaml:2: publish.endpoint: tcp://0.0.0.0:5557 is sources.far.endpoint's endpoint already")
        }
    }
}
