// `clusterd ctl`: the daemon's control operations, a subcommand each.

import ArgumentParser
import Client
import Daemon
import Glibc
import Remote

/// The root of the control operations.
struct CtlCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ctl",
        abstract: "Asks a running daemon, or tells it what to do.",
        discussion: """
            EXAMPLES
              clusterd ctl status
              clusterd ctl status --json | jq .training.loss
              clusterd ctl fetch newest models/
              clusterd ctl reload step-000000800
              clusterd ctl pause

            EXIT STATUS
              0   Done.
              64  Wrong usage.
              74  The daemon refused, with the reason; a file cannot be written;
                  the endpoint cannot be used.
              75  Nobody answers at the endpoint, or not in time.
            """,
        subcommands: [
            StatusCommand.self, CheckpointsCommand.self, FetchCommand.self, SaveCommand.self, ReloadCommand.self,
            RollbackCommand.self, PauseCommand.self, ResumeCommand.self,
        ])
}

/// What all control operations have in common.
struct ControlOptions: ParsableArguments {
    @Option(name: .customLong("to"), help: ArgumentHelp("The daemon's control endpoint.", valueName: "endpoint"))
    var endpoint = ControlClient.defaultEndpoint

    @Option(
        help: ArgumentHelp(
            "How many seconds to wait for an answer; a daemon that is not there is waited for 5 at most.",
            valueName: "seconds"))
    var timeout = 600.0

    @OptionGroup var curve: CurveOptions

    @Flag(help: "Print the answer's JSON.")
    var json = false

    func validate() throws {
        guard timeout.isFinite, timeout > 0 else { throw ValidationError("--timeout is a number of seconds") }
    }

    /// Does `body` with a client, and ends with the exit code that fits what it throws.
    func withClient(_ body: (ControlClient) throws(ControlError) -> Void) throws {
        let keys = try curve.client()
        do throws(ControlError) {
            let stop: StopSignal
            do { stop = try StopSignal() } catch { throw .socket(error) }
            let signals = SignalHandling(onStop: { _ in stop.request() })
            defer { withExtendedLifetime(signals) {} }
            try body(try ControlClient(endpoint: endpoint, curve: keys, timeout: .seconds(timeout), stop: stop))
        } catch {
            _ = OutputFile(descriptor: STDERR_FILENO).write(Array("clusterd ctl: \(error)\n".utf8))
            throw ExitCode(error.isTemporary ? EX_TEMPFAIL : EX_IOERR)
        }
    }

    /// Asks for an operation and prints the answer.
    func perform(_ operation: String, _ arguments: [String: String] = [:]) throws {
        try withClient { (client) throws(ControlError) in
            print(try ControlDisplay(json: json).answer(to: operation, arguments, from: client))
        }
    }
}
