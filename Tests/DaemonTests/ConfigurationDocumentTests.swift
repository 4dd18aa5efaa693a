// docs/configuration.md has what `clusterd check-config --reference` prints, between its markers.

import Daemon
import Foundation
import XCTest

final class ConfigurationDocumentTests: XCTestCase {
    func testTheDocumentIsWhatTheSchemaGives() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let document = folder.appendingPathComponent("../../docs/configuration.md").standardizedFileURL
        let text = try String(contentsOf: document, encoding: .utf8)
        let parts = text.components(separatedBy: "<!-- made by deploy/reference -->\n").dropFirst()
        let tables = parts.map { $0.components(separatedBy: "\n<!-- end -->")[0] }
        XCTAssertEqual(tables, ConfigurationReference.tables, "deploy/reference writes it anew")
        XCTAssertTrue(tables.allSatisfy { $0.split(separator: "\n").count > 8 })
    }
}
