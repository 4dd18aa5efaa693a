// docs/configuration.md lists every setting, as the schema has it: its key, its default, what it may be, what it is for.

import Daemon
import Foundation
import XCTest

final class ConfigurationDocumentTests: XCTestCase {
    private static func row<Root>(_ setting: Setting<Root>, of defaults: Root) -> String {
        let value = setting.value(defaults)
        let shown = value.isEmpty ? "–" : "`\(value)`"
        let expectation = setting.expectation.trimmingCharacters(in: [","])
        return "| `\(setting.key)` | \(shown) | \(expectation) | \(setting.documentation) |"
    }

    func testTheDocumentHasEverySettingAsTheSchemaHasIt() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let document = folder.appendingPathComponent("../../docs/configuration.md").standardizedFileURL
        let lines = Set(try String(contentsOf: document, encoding: .utf8).split(separator: "\n").map(String.init))

        let defaults = Configuration(stateDirectory: "STATE")
        let source = SourceSettings(name: "", endpoint: "")
        let rows =
            ConfigurationSchema.settings.map { Self.row($0, of: defaults) }
            + ConfigurationSchema.sourceSettings.map { Self.row($0, of: source) }
        let missing = rows.filter { !lines.contains($0) }
        XCTAssertEqual(missing, [], "to be put in docs/configuration.md:\n" + missing.joined(separator: "\n"))

        let documented = lines.filter { $0.hasPrefix("| `") && $0.split(separator: "|").count == 4 }
        let outdated = documented.filter { !rows.contains($0) }.sorted()
        XCTAssertEqual(outdated, [], "to be taken out of docs/configuration.md:\n" + outdated.joined(separator: "\n"))
    }
}
