// What is wrong with a configuration, in words that lead to the place.

/// Where a setting's value comes from.
public enum SettingOrigin: Sendable, Equatable, CustomStringConvertible {
    /// Nobody set it.
    case standard
    /// A line of the file.
    case file(String, line: Int)
    /// An environment variable.
    case environment(String)
    /// `--set` on the command line.
    case commandLine

    /// The origin as check-config names it, such as `clusterd.yaml:12`.
    public var description: String {
        switch self {
        case .standard: "default"
        case .file(let name, let line): "\(name):\(line)"
        case .environment(let variable): variable
        case .commandLine: "--set"
        }
    }
}

/// One mistake.
public struct ConfigurationMistake: Error, Sendable, Equatable, CustomStringConvertible {
    /// Where it was made.
    public var origin: SettingOrigin
    /// The setting, such as `train.batch_size`; empty where the mistake is in the file's syntax.
    public var key: String
    /// What is wrong, and what is right.
    public var message: String

    /// Creates a mistake.
    public init(origin: SettingOrigin, key: String, message: String) {
        self.origin = origin
        self.key = key
        self.message = message
    }

    /// One line: place, key and message.
    public var description: String {
        key.isEmpty ? "\(origin): \(message)" : "\(origin): \(key): \(message)"
    }
}

/// A configuration that cannot be used, with every mistake in it.
public struct ConfigurationError: Error, CustomStringConvertible {
    /// The mistakes: the file's by line, then the environment's, then the command line's.
    public let mistakes: [ConfigurationMistake]

    /// Creates an error.
    public init(mistakes: [ConfigurationMistake]) { self.mistakes = mistakes }

    /// One line a mistake.
    public var description: String { mistakes.map(\.description).joined(separator: "\n") }
}
