// The configuration file that packages put in /etc: valid as it is, and still the defaults with every line in force.

import Daemon
import Foundation
import XCTest

final class ConfigurationTemplateTests: XCTestCase {
    private let environment = ["STATE_DIRECTORY": "/var/lib/clusterd"]

    private func printed() throws -> [String] {
        let process = try TestProcess.clusterd(["check-config", "--template"])
        XCTAssertEqual(process.wait(), 0)
        return process.output.read { $0.lines }
    }

    private func load(_ lines: [String]) throws -> LoadedConfiguration {
        try ConfigurationLoader.load(
            file: ("clusterd.yaml", lines.joined(separator: "\n")), environment: environment, assignments: [])
    }

    func testAsItIsItChangesNothing() throws {
        let loaded = try load(try printed())
        XCTAssertEqual(loaded.configuration, Configuration(stateDirectory: "/var/lib/clusterd"))
    }

    func testInForceEverySettingHasItsDefault() throws {
        let loaded = try load(
            printed().map { $0.hasPrefix("#") && !$0.hasPrefix("##") ? String($0.dropFirst()) : $0 })
        XCTAssertEqual(loaded.configuration, Configuration(stateDirectory: "/var/lib/clusterd"))
        for setting in ConfigurationSchema.settings {
            XCTAssertTrue("\(loaded.origin(of: setting.key))".hasPrefix("clusterd.yaml:"), setting.key)
        }
        for source in ["stream", "queue"] {
            for setting in ConfigurationSchema.sourceSettings where setting.key != "name" {
                let key = "sources.\(source).\(setting.key)"
                XCTAssertTrue("\(loaded.origin(of: key))".hasPrefix("clusterd.yaml:"), key)
            }
        }
    }
}
