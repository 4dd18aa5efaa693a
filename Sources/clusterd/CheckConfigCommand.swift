// `clusterd check-config`: what `serve` would run with.

import ArgumentParser
import Daemon

struct CheckConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check-config",
        abstract: "Checks a configuration, and shows every setting and where it comes from.",
        discussion: """
            Prints “valid” and all settings, each with its origin: a line of the file, an environment variable, --set, \
            or default. A configuration with mistakes is not valid: all of them are listed with their lines, and the \
            exit code is 78.

            EXAMPLES
              clusterd check-config
              clusterd check-config clusterd.yaml --set train.batch_size=64
            """)

    @Argument(help: ArgumentHelp("The configuration, in YAML; without it the defaults.", valueName: "file"))
    var file: String?

    @Option(
        name: .customLong("set"), parsing: .upToNextOption,
        help: ArgumentHelp("Settings that override all others; the file comes before them.", valueName: "key=value"))
    var assignments: [String] = []

    func run() throws {
        throw ExitCode(Launcher.checkConfiguration(file: file, assignments: assignments).rawValue)
    }
}
