// `clusterd serve`: the daemon.

import ArgumentParser
import Daemon

struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Runs the daemon: images in, clusters out.",
        discussion: """
            Without a file it runs on its defaults: images are taken at tcp://127.0.0.1:5555 (from PUB sockets) and \
            tcp://127.0.0.1:5556 (from PUSH sockets, which it slows down rather than lose an image), assignments are \
            published at tcp://127.0.0.1:5557, and checkpoints go to $STATE_DIRECTORY, else $XDG_STATE_HOME/clusterd, \
            else ~/.local/state/clusterd, from where the newest is resumed.

            A setting is taken from --set, else from an environment variable (CLUSTERD_TRAIN_BATCH_SIZE for \
            train.batch_size), else from the file, else it has its default. `clusterd check-config` lists them all.

            SIGTERM or Ctrl-C ends it in order: no more input, what was taken is assigned and trained on, a checkpoint, \
            and subscribers get what was published. A second one ends it at once.

            EXAMPLES
              clusterd serve --set model.image_size=32 --set train.batch_size=64
              clusterd serve --config clusterd.yaml --log-level debug
              clusterd serve --set sources.queue.endpoint=tcp://127.0.0.1:7000

            EXIT CODES
              0 stopped in order, 64 usage, 74 a file, a socket or the disk failed (a port in use), 75 another process \
            has the checkpoint folder, 78 the configuration is wrong
            """)

    @Option(
        name: .shortAndLong, help: ArgumentHelp("The configuration, in YAML.", valueName: "file"),
        completion: .file(extensions: ["yaml", "yml"]))
    var config: String?

    @Option(
        name: .customLong("set"), parsing: .upToNextOption,
        help: ArgumentHelp("Settings that override all others.", valueName: "key=value"),
        completion: .settings)
    var assignments: [String] = []

    @Option(
        name: .long, help: ArgumentHelp("How much is logged: the same as --set log.level=…", valueName: "level"))
    var logLevel: LogLevel?

    func run() throws {
        let level = logLevel.map { ["log.level=\($0.rawValue)"] } ?? []
        let code = Launcher.serve(file: config, assignments: assignments + level)
        throw ExitCode(code.rawValue)
    }
}

extension LogLevel: ExpressibleByArgument {}
