// A configuration as text for people: what check-config prints.

extension LoadedConfiguration {
    /// Every setting with its value and where that comes from, one a line, in columns.
    public var report: String {
        var rows = ConfigurationSchema.settings.map { ($0.key, $0.value(configuration)) }
        let afterGeneral = rows.firstIndex { $0.0.contains(".") } ?? rows.endIndex
        let sources = configuration.sources.flatMap { source in
            ConfigurationSchema.sourceSettings.filter { $0.key != "name" }.map {
                ("sources.\(source.name).\($0.key)", $0.value(source))
            }
        }
        rows.insert(contentsOf: sources, at: afterGeneral)
        let keyWidth = rows.map(\.0.count).max() ?? 0
        let valueWidth = min(40, rows.map(\.1.count).max() ?? 0)
        let lines = rows.map { key, value in
            "\(key.padded(to: keyWidth)) = \(value.padded(to: valueWidth))  \(origin(of: key))"
        }
        return lines.joined(separator: "\n")
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
