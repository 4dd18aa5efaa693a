// `clusterd ctl fetch`: a checkpoint from a running daemon into a file.

import ArgumentParser
import Client
import Remote

/// Fetches a checkpoint.
struct FetchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fetch",
        abstract: "Fetches a checkpoint into a file, and checks its SHA-256.",
        discussion: """
            The file gets its name when it is whole. A fetch that is cut off is gone on with when it is asked for again.

            EXAMPLES
              clusterd ctl fetch newest model.safetensors
              clusterd ctl fetch step-000001200 models/ --to tcp://10.0.0.5:5558
            """)

    @Argument(help: ArgumentHelp("The checkpoint, or `newest`.", valueName: "id"))
    var id: String

    @Argument(help: "The file, or the folder to put it in.", completion: .file())
    var file: String

    @OptionGroup var options: ControlOptions

    @Flag(help: "Show no progress bar on a terminal.")
    var noProgress = false

    func run() throws {
        try options.withClient { (client) throws(ControlError) in
            let fetch = CheckpointFetch(id, into: file, client: client)
            let display = FetchDisplay(showsBar: !noProgress)
            do throws(ControlError) {
                try fetch.run { display.show($0) }
            } catch {
                display.fail()
                throw error
            }
            display.end(fetch)
        }
    }
}
