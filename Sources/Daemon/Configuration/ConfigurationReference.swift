// Every setting that there is, as docs/configuration.md has it: made from the schema, so that neither can drift.

/// The reference of the settings in Markdown.
public enum ConfigurationReference {
    /// The settings apart from the sources', and those of each source.
    public static var tables: [String] {
        let defaults = Configuration(stateDirectory: "STATE")
        let source = SourceSettings(name: "", endpoint: "")
        return [
            table(ConfigurationSchema.settings.map { row($0, of: defaults) }),
            table(ConfigurationSchema.sourceSettings.map { row($0, of: source) }),
        ]
    }

    private static func table(_ rows: [String]) -> String {
        (["| key | default | value | |", "|---|---|---|---|"] + rows).joined(separator: "\n")
    }

    private static func row<Root>(_ setting: Setting<Root>, of defaults: Root) -> String {
        let value = setting.value(defaults)
        let shown = value.isEmpty ? "–" : "`\(value)`"
        // Some expectations go on in an error message.
        let expectation =
            setting.expectation.hasSuffix(",") ? String(setting.expectation.dropLast()) : setting.expectation
        return "| `\(setting.key)` | \(shown) | \(expectation) | \(setting.documentation) |"
    }
}
