// What tests ask a daemon's page for, over a real connection.

import Daemon
import Foundation
import HTTPTestClient
import StreamProtocol
import XCTest

extension RunningService {
    /// The page's address, as the daemon logs it.
    func page() throws -> String {
        let line = try XCTUnwrap(log.read { $0.first { $0.contains("serving the page") } })
        return try XCTUnwrap(
            line.split(separator: " ").first { $0.contains("http://") }.map {
                String($0.drop { $0 != "h" }.split(separator: "=").last ?? "")
            })
    }
}

/// The answer to one request.
func askPage(
    _ address: String, _ method: String = "GET", _ fields: [String: String] = [:], body: String = ""
) throws -> (status: Int, body: [UInt8]) {
    let (client, path) = try connection(to: address)
    client.send(Client.request(method, path, fields, body: body))
    let answer = try client.answer(to: method)
    return (answer.status, answer.body)
}

/// A connection to `http://ADDRESS:PORT/PATH`, and the path.
private func connection(to address: String) throws -> (Client, path: String) {
    let parts = address.dropFirst("http://".count).split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    let port = try XCTUnwrap(parts[0].split(separator: ":").last.flatMap { UInt16($0) })
    return (try Client(port: port), "/" + parts[1])
}

/// A page's events, read one after another.
final class PageEvents {
    private let client: Client

    init(_ page: String) throws {
        let (client, path) = try connection(to: page + "events")
        self.client = client
        client.send(Client.request("GET", path))
    }

    /// The next event of a name.
    func next(_ name: String) throws -> [String: JSON] {
        try client.wait(for: "event: \(name)\ndata: ")
        let data = try client.wait(for: "\n")
        return try XCTUnwrap(try JSON(parsing: Array(data.utf8.dropLast())).members)
    }
}
