// Which settings can change while the daemon runs, and which are different in a configuration that has been read again.

/// The difference between two configurations.
package struct Reconfiguration: Sendable, Equatable {
    /// The settings that take effect at once.
    package static let changeable = [
        "publish.probabilities", "train.learning_rate", "assign.max_batch", "assign.max_delay_ms",
        "checkpoint.every_steps", "checkpoint.every_seconds", "checkpoint.keep", "log.level", "log.format",
    ]

    /// The settings that are different and take effect.
    package let changed: [String]
    /// Those that are different and need a restart.
    package let needsRestart: [String]

    /// Compares two configurations.
    package init(from current: Configuration, to wanted: Configuration) {
        let different = ConfigurationSchema.settings.filter { $0.value(current) != $0.value(wanted) }.map(\.key)
        changed = different.filter(Self.changeable.contains)
        needsRestart =
            different.filter { !Self.changeable.contains($0) } + (current.sources == wanted.sources ? [] : ["sources"])
    }

    /// Takes the settings that can change over from `wanted`.
    func apply(_ wanted: Configuration, to current: inout Configuration) {
        current.publish.probabilities = wanted.publish.probabilities
        current.train.learningRate = wanted.train.learningRate
        current.assign = wanted.assign
        current.checkpoint.everySteps = wanted.checkpoint.everySteps
        current.checkpoint.everySeconds = wanted.checkpoint.everySeconds
        current.checkpoint.keep = wanted.checkpoint.keep
        current.log = wanted.log
    }
}
