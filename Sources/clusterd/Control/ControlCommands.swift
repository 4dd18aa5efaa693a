// The control operations that take no argument and print their answer.

import ArgumentParser

/// `clusterd ctl status`
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Shows how the daemon fares: learning, rates, queues, sources, clusters.")

    @OptionGroup var options: ControlOptions

    func run() throws { try options.perform("status") }
}

/// `clusterd ctl checkpoints`
struct CheckpointsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "checkpoints", abstract: "Lists the checkpoints that can be fetched, newest first.")

    @OptionGroup var options: ControlOptions

    func run() throws { try options.perform("checkpoints") }
}

/// `clusterd ctl save`
struct SaveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "save", abstract: "Has a checkpoint written now, and says when it is on disk.")

    @OptionGroup var options: ControlOptions

    func run() throws { try options.perform("save") }
}

/// `clusterd ctl pause`
struct PauseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Stops training; images go on being assigned.")

    @OptionGroup var options: ControlOptions

    func run() throws { try options.perform("pause") }
}

/// `clusterd ctl resume`
struct ResumeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "resume", abstract: "Lets training go on.")

    @OptionGroup var options: ControlOptions

    func run() throws { try options.perform("resume") }
}
