// The control operations that change the model: another one, or the one before.

import ArgumentParser
import Foundation

/// `clusterd ctl reload`
struct ReloadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload",
        abstract:
            "Has another model serve and be trained on: one of the daemon's checkpoints, or a file on its machine.",
        discussion: """
            The file is checked in every way, and the model tried, before anything changes; where something is wrong, the \
            old model goes on and the reason is told. Clusters of another model have other numbers: a new label epoch \
            begins, and the daemon publishes which old cluster is which new one.

            EXAMPLES
              clusterd ctl reload step-000000800
              clusterd ctl reload ./trained.safetensors
            """)

    @Argument(
        help: ArgumentHelp("The name of a checkpoint, or the path of a file.", valueName: "model"),
        completion: .file(extensions: ["safetensors"]))
    var model: String

    @OptionGroup var options: ControlOptions

    func run() throws {
        let isName = model.wholeMatch(of: /step-[0-9]{9,}(-epoch-[0-9]+)?/) != nil
        // The daemon has a working folder of its own.
        try options.perform(
            "reload", isName ? ["id": model] : ["path": URL(fileURLWithPath: model).standardizedFileURL.path])
    }
}

/// `clusterd ctl rollback`
struct RollbackCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Goes back to the model before the last reload or rollback, as it was left.")

    @OptionGroup var options: ControlOptions

    func run() throws { try options.perform("rollback") }
}
