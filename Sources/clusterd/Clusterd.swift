// The command line: a thin layer over the modules, one file a command.

import ArgumentParser
import Daemon

/// The root command.
@main
struct Clusterd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clusterd",
        abstract: "Learns to cluster images while they stream past.",
        version: clusterdVersion,
        subcommands: [
            ServeCommand.self,
            CheckConfigCommand.self,
            FeedCommand.self,
            WatchCommand.self,
            QueryCommand.self,
            TrainCommand.self,
            EvaluateCommand.self,
            InspectCommand.self,
            CtlCommand.self,
            KeygenCommand.self,
        ])
}
