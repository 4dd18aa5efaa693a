// Puts a configuration together: flag before environment before file before default, and where each value came from.
//
// Nothing is given up at the first mistake: all are gathered and reported at once.

/// A configuration that has been checked, with the origin of every value.
public struct LoadedConfiguration: Sendable {
    /// The settings.
    public var configuration: Configuration
    /// Where values that are not defaults come from, by key, a source's as `sources.NAME.KEY`.
    public var origins: [String: SettingOrigin]

    /// Where the value of `key` comes from.
    public func origin(of key: String) -> SettingOrigin { origins[key] ?? .standard }
}

/// Makes a configuration out of what an operator wrote.
public struct ConfigurationLoader {
    /// A source on its way to being complete.
    private struct Draft {
        var settings: SourceSettings
        var origin: SettingOrigin
        /// The keys that somebody set; `name` and `endpoint` have no default.
        var given: Set<String>

        var isNamed: Bool { !settings.name.isEmpty }
    }

    private let environment: [String: String]
    private var configuration: Configuration
    private var drafts: [Draft]
    private var origins: [String: SettingOrigin] = [:]
    private var mistakes: [ConfigurationMistake] = []

    private init(environment: [String: String]) {
        self.environment = environment
        configuration = Configuration(stateDirectory: Configuration.stateDirectory(environment: environment))
        drafts = configuration.sources.map {
            Draft(settings: $0, origin: .standard, given: ["name", "endpoint"])
        }
    }

    /// Reads a configuration.
    ///
    /// - Parameters:
    ///   - file: the name and the content of the configuration file, nil for none.
    ///   - environment: the process's environment.
    ///   - assignments: the arguments of `--set`, each `KEY=VALUE`; of several for one key the last counts.
    /// - Throws: `ConfigurationError` with every mistake.
    public static func load(
        file: (name: String, text: String)? = nil, environment: [String: String] = [:], assignments: [String] = []
    ) throws(ConfigurationError) -> LoadedConfiguration {
        var loader = ConfigurationLoader(environment: environment)
        let flags = loader.parse(assignments)
        if let file { loader.read(ConfigurationFile(name: file.name, text: file.text)) }
        // Sources that flags add are known before the environment is read, which cannot name new ones.
        for flag in flags { loader.addSource(named: flag.key, origin: .commandLine) }
        loader.readEnvironment()
        for flag in flags { loader.set(flag.key, .text(flag.value), origin: .commandLine) }
        loader.completeSources()

        let loaded = LoadedConfiguration(configuration: loader.configuration, origins: loader.origins)
        loader.mistakes += ConfigurationChecks.mistakes(in: loaded, besides: loader.mistakes)
        guard loader.mistakes.isEmpty else { throw ConfigurationError(mistakes: loader.mistakes.inReadingOrder()) }
        return loaded
    }

    // MARK: File

    private mutating func read(_ file: ConfigurationFile) {
        mistakes += file.mistakes
        for entry in file.entries { set(entry.key, entry.value, origin: entry.origin) }
        guard let sources = file.sources else { return }
        origins["sources"] = file.sourcesOrigin
        drafts = []
        for (index, source) in sources.enumerated() {
            var draft = Draft(settings: SourceSettings(name: "", endpoint: ""), origin: source.origin, given: [])
            var prefix = "sources[\(index)]"
            if let name = source.entries.first(where: { $0.key == "name" }) {
                set(name.key, name.value, of: &draft, path: prefix + ".name", origin: name.origin)
                if let first = drafts.first(where: { $0.settings.name == draft.settings.name }), draft.isNamed {
                    report(
                        name.origin, prefix + ".name",
                        "the source at \(first.origin) is called \(first.settings.name) too")
                } else if draft.isNamed {
                    prefix = "sources.\(draft.settings.name)"
                }
            }
            for entry in source.entries where entry.key != "name" {
                set(entry.key, entry.value, of: &draft, path: "\(prefix).\(entry.key)", origin: entry.origin)
            }
            for key in ["name", "endpoint"] where !source.entries.contains(where: { $0.key == key }) {
                report(source.origin, prefix, "the source has no \(key)")
            }
            // One without a name of its own has been reported, and its keys could not be told from another's.
            if prefix.hasPrefix("sources.") { drafts.append(draft) }
        }
    }

    // MARK: Environment

    /// The variable for a key, such as `CLUSTERD_TRAIN_BATCH_SIZE` for `train.batch_size`.
    static func variable(for key: String) -> String {
        "CLUSTERD_" + String(key.uppercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
    }

    private mutating func readEnvironment() {
        let sourceKeys = drafts.flatMap { draft in
            ConfigurationSchema.sourceSettings.filter { $0.key != "name" }.map {
                "sources.\(draft.settings.name).\($0.key)"
            }
        }
        let keys = ConfigurationSchema.settings.map(\.key) + sourceKeys
        let variables = Dictionary(keys.map { (Self.variable(for: $0), $0) }, uniquingKeysWith: { first, _ in first })
        // Other programs have variables with our prefix, Kubernetes for one (CLUSTERD_PORT); those that begin like a
        // section's are ours.
        let sections = Set(keys.compactMap { $0.split(separator: ".").first.map(String.init) })
        let prefixes = sections.filter { section in keys.contains { $0.hasPrefix(section + ".") } }.map {
            Self.variable(for: $0) + "_"
        }
        for (name, value) in environment.sorted(by: { $0.key < $1.key }) where name.hasPrefix("CLUSTERD_") {
            if let key = variables[name] {
                set(key, .text(value), origin: .environment(name))
                continue
            }
            let nearest = nearestName(to: name, in: variables.keys.sorted())
            let isNear = nearest.map { editDistance($0, name) <= 2 } ?? false
            guard isNear || prefixes.contains(where: name.hasPrefix) else { continue }
            report(
                .environment(name), "",
                "no setting has this variable" + (nearest.map { "; did you mean \($0)?" } ?? ""))
        }
    }

    // MARK: Flags

    private mutating func parse(_ assignments: [String]) -> [(key: String, value: String)] {
        assignments.compactMap { assignment in
            guard let equals = assignment.firstIndex(of: "="), equals != assignment.startIndex else {
                report(
                    .commandLine, "", "“\(assignment)” is no assignment: write KEY=VALUE, such as train.batch_size=64")
                return nil
            }
            return (String(assignment[..<equals]), String(assignment[assignment.index(after: equals)...]))
        }
    }

    private mutating func addSource(named path: String, origin: SettingOrigin) {
        guard let (name, _) = Self.sourceKey(path), !drafts.contains(where: { $0.settings.name == name }) else {
            return
        }
        // Also checks the name.
        var draft = Draft(settings: SourceSettings(name: "", endpoint: ""), origin: origin, given: [])
        set("name", .text(name), of: &draft, path: "sources.\(name)", origin: origin)
        if draft.settings.name == name { drafts.append(draft) }
    }

    /// The parts of `sources.NAME.KEY`; a name may itself have dots.
    private static func sourceKey(_ path: String) -> (name: String, key: String)? {
        let prefix = "sources."
        guard path.hasPrefix(prefix), let dot = path.lastIndex(of: "."),
            dot > path.index(path.startIndex, offsetBy: prefix.count)
        else { return nil }
        return (
            String(path[path.index(path.startIndex, offsetBy: prefix.count)..<dot]),
            String(path[path.index(after: dot)...])
        )
    }

    // MARK: Setting

    private mutating func set(_ path: String, _ value: WrittenValue, origin: SettingOrigin) {
        if let (name, key) = Self.sourceKey(path) {
            guard let index = drafts.firstIndex(where: { $0.settings.name == name }) else { return }
            if key == "name" {
                report(origin, path, "a source's name cannot be changed here")
            } else {
                var draft = drafts[index]
                set(key, value, of: &draft, path: path, origin: origin)
                drafts[index] = draft
            }
        } else if let setting = ConfigurationSchema.settings.first(where: { $0.key == path }) {
            var changed = configuration
            apply(setting, value, to: &changed, path: path, origin: origin)
            configuration = changed
        } else {
            reportUnknown(path, value, origin: origin)
        }
    }

    private mutating func set(
        _ key: String, _ value: WrittenValue, of draft: inout Draft, path: String, origin: SettingOrigin
    ) {
        guard let setting = ConfigurationSchema.sourceSettings.first(where: { $0.key == key }) else {
            report(origin, path, "no such key" + suggestion(key, in: ConfigurationSchema.sourceSettings.map(\.key)))
            return
        }
        draft.given.insert(key)
        apply(setting, value, to: &draft.settings, path: path, origin: origin)
    }

    private mutating func apply<Root>(
        _ setting: Setting<Root>, _ value: WrittenValue, to root: inout Root, path: String, origin: SettingOrigin
    ) {
        do throws(SettingRefusal) {
            try setting.set(&root, value)
            origins[path] = origin
        } catch {
            report(origin, path, error.message)
        }
    }

    private mutating func reportUnknown(_ path: String, _ value: WrittenValue, origin: SettingOrigin) {
        let keys = ConfigurationSchema.settings.map(\.key)
        if keys.contains(where: { $0.hasPrefix(path + ".") }) {
            // A section whose keys are all commented out is no mistake.
            if value == .nothing || value == .section { return }
            report(origin, path, "\(value.description) where a section of keys is expected")
        } else if path == "sources" || path.hasPrefix("sources.") {
            report(origin, path, "set a source's key by the source's name: sources.NAME.KEY")
        } else {
            let nearest = nearestKey(to: path, in: keys + ["sources"])
            report(origin, path, "no such key" + (nearest.map { "; did you mean \($0)?" } ?? ""))
        }
    }

    private func suggestion(_ name: String, in candidates: [String]) -> String {
        nearestName(to: name, in: candidates).map { "; did you mean \($0)?" }
            ?? ": a source has \(candidates.joined(separator: ", "))"
    }

    private mutating func completeSources() {
        for draft in drafts where draft.origin == .commandLine && !draft.given.contains("endpoint") {
            report(
                .commandLine, "sources.\(draft.settings.name)",
                "there is no such source, and a new one needs an endpoint")
        }
        configuration.sources = drafts.map { draft in
            var source = draft.settings
            if !draft.given.contains("overload") { source.overload = source.pattern.usualOverload }
            return source
        }
    }

    private mutating func report(_ origin: SettingOrigin, _ key: String, _ message: String) {
        mistakes.append(ConfigurationMistake(origin: origin, key: key, message: message))
    }
}

extension [ConfigurationMistake] {
    /// The file's by line, then the environment's, then the command line's.
    fileprivate func inReadingOrder() -> Self {
        func rank(_ origin: SettingOrigin) -> (Int, Int) {
            switch origin {
            case .standard: (0, 0)
            case .file(_, let line): (1, line)
            case .environment: (2, 0)
            case .commandLine: (3, 0)
            }
        }
        return enumerated().sorted { a, b in
            (rank(a.element.origin).0, rank(a.element.origin).1, a.offset)
                < (rank(b.element.origin).0, rank(b.element.origin).1, b.offset)
        }.map(\.element)
    }
}
