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

            With --template it prints a file to begin with instead: every setting with what it is for, at its default and \
            behind a #.

            EXAMPLES
              clusterd check-config
              clusterd check-config --template > clusterd.yaml
              clusterd check-config clusterd.yaml --set train.batch_size=64
              clusterd check-config --reference
            """)

    @Argument(
        help: ArgumentHelp("The configuration, in YAML; without it the defaults.", valueName: "file"),
        completion: .file(extensions: ["yaml", "yml"]))
    var file: String?

    @Option(
        name: .customLong("set"), parsing: .upToNextOption,
        help: ArgumentHelp("Settings that override all others; the file comes before them.", valueName: "key=value"),
        completion: .settings)
    var assignments: [String] = []

    @Flag(name: .long, help: "Print a file with every setting, all of them commented out.")
    var template = false

    @Flag(help: "Print every setting there is, with its default and what it may be, as Markdown, and check nothing.")
    var reference = false

    func run() throws {
        if template {
            throw ExitCode(Launcher.printConfigurationTemplate(stateDirectory: "/var/lib/clusterd").rawValue)
        }
        if reference {
            print(ConfigurationReference.tables.joined(separator: "\n\n"))
            return
        }
        throw ExitCode(Launcher.checkConfiguration(file: file, assignments: assignments).rawValue)
    }
}

extension CompletionKind {
    /// The settings, as `--set` takes them.
    static var settings: CompletionKind { .list(ConfigurationSchema.settings.map { $0.key + "=" }) }
}
