// A configuration file to begin with: every setting with what it is for, at its default and commented out.
//
// Made of the schema, so it has whatever the schema has. A line for people begins with ##, one of a setting with a single #.

import Foundation

/// The file that a package puts in /etc.
package enum ConfigurationTemplate {
    private static let width = 110

    /// The text of the file.
    ///
    /// - Parameter stateDirectory: the folder that is the default for files.
    package static func text(stateDirectory: String) -> String {
        let defaults = Configuration(stateDirectory: stateDirectory)
        var lines = prose(
            "The configuration of clusterd. Lines with one # are settings, each at its default: take the # away, and that of "
                + "the section's name, to change it. Flags (--set) and environment variables come before this file. "
                + "`clusterd check-config FILE` checks it, `systemctl reload` has it read again.")
        var section: Substring?
        var hasSources = false
        for setting in ConfigurationSchema.settings {
            let parts = setting.key.split(separator: ".", maxSplits: 1)
            if parts.count > 1, !hasSources {
                lines += sources(of: defaults)
                hasSources = true
            }
            lines.append("")
            if parts.count > 1, section != parts[0] {
                section = parts[0]
                lines.append("#\(parts[0]):")
            }
            let indentation = parts.count > 1 ? "  " : ""
            lines += prose("\(setting.documentation) (\(expectation(setting)))")
            lines.append("#\(indentation)\(parts.last ?? ""): \(quoted(setting.value(defaults)))")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func sources(of defaults: Configuration) -> [String] {
        var lines = [""] + prose("Where images come from. A list here takes the place of the default one.")
        lines.append("#sources:")
        for setting in ConfigurationSchema.sourceSettings {
            lines += prose("\(setting.key): \(setting.documentation) (\(expectation(setting)))")
        }
        for source in defaults.sources {
            for (index, setting) in ConfigurationSchema.sourceSettings.enumerated() {
                lines.append("#  \(index == 0 ? "-" : " ") \(setting.key): \(quoted(setting.value(source)))")
            }
        }
        return lines
    }

    private static func expectation<Root>(_ setting: Setting<Root>) -> String {
        setting.expectation.trimmingCharacters(in: [","])
    }

    /// A YAML scalar: quoted where it could be taken for something else.
    private static func quoted(_ value: String) -> String {
        value.wholeMatch(of: /[A-Za-z0-9_.\/-]+/) == nil ? "\"\(value)\"" : value
    }

    /// The text in lines for people, broken between words.
    private static func prose(_ text: String) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty, line.count + 1 + word.count > width {
                lines.append(line)
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        return (lines + [line]).map { "## \($0)" }
    }
}
