// `clusterd watch`: a daemon's assignments as they come.

import ArgumentParser
import Client
import Daemon
import Glibc
import Remote
import ZeroMQ

/// Shows assignments.
struct WatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Shows a daemon's assignments as they come.",
        discussion: """
            On a terminal a table: when, from which source, which image, its \
            cluster, the model's confidence, and the time from the image's arrival \
            at the daemon to the answer. Elsewhere, or with --json, one JSON object \
            a line, as the daemon published it. Rejected images, checkpoints and \
            gaps in the numbering are told on standard error (rejected images in the \
            table, where there is one).

            EXAMPLES
              clusterd watch
              clusterd watch --source cam1
              clusterd watch --json | jq -r 'select(.cluster == 3) | .id'
              clusterd watch --count 1000 > assignments.jsonl
              clusterd watch --from-seq 1 --json > all.jsonl

            Assignments are numbered without holes, and come in the order of their \
            numbers, each once. A watch begins with the next one, or where \
            --from-seq says. What does not arrive, because the watch was too slow or \
            cut off or the daemon was started again, it asks for at the control \
            endpoint; what the daemon does not have any more is told as missing.

            EXIT STATUS
              0   The count was reached, the reader of the output has gone, or
                  Ctrl-C.
              64  Wrong usage.
              74  The endpoint cannot be used, or the output cannot be written.
            """)

    @Option(name: .customLong("from"), help: ArgumentHelp("The daemon's publisher.", valueName: "endpoint"))
    var endpoint = WatchSettings.defaultEndpoint

    @Option(
        help: ArgumentHelp(
            "The daemon's control endpoint. (default: the port after that of --from)", valueName: "endpoint"))
    var control: String?

    @Flag(help: "Ask for nothing: what does not arrive is told as missing, with --source not even that.")
    var noReplay = false

    @Option(help: ArgumentHelp("Begin with this number, 1 is the very first.", valueName: "seq"))
    var fromSeq: UInt64?

    @Option(help: ArgumentHelp("The epoch of --from-seq. (default: the daemon's present one)", valueName: "uuid"))
    var epoch: String?

    @Option(help: ArgumentHelp("Only images of this source. (default: all sources)", valueName: "name"))
    var source: String?

    @Flag(help: "JSON lines on a terminal too.")
    var json = false

    @Option(help: ArgumentHelp("End after so many assignments. (default: never)", valueName: "n"))
    var count: Int?

    @OptionGroup var curve: CurveOptions

    func validate() throws { _ = try settings() }

    func run() throws {
        let settings = try settings()
        let stop = try StopSignal()
        let signals = SignalHandling(onStop: { _ in stop.request() })
        defer { withExtendedLifetime(signals) {} }

        let display = WatchDisplay(settings: settings, json: json)
        let watcher = Watcher(settings: settings, stop: stop)
        do throws(ZeroMQError) {
            try watcher.run(output: STDOUT_FILENO) { event in display.show(event, watcher.tally) }
        } catch {
            display.say("clusterd watch: \(error)")
            throw ExitCode(EX_IOERR)
        }
        if !watcher.hasLostReader, display.ending != .readerGone { display.end(watcher.tally) }
        if case .failed(let number) = display.ending {
            display.say("clusterd watch: cannot write the output: \(String(cString: strerror(number)))")
            throw ExitCode(EX_IOERR)
        }
    }

    private func settings() throws -> WatchSettings {
        let keys = try curve.client()
        do throws(WatchSettings.Invalid) {
            let control = noReplay ? nil : control ?? WatchSettings.control(beside: endpoint)
            return try WatchSettings(
                endpoint: endpoint, control: control, source: source, start: fromSeq, epoch: epoch, count: count,
                curve: keys)
        } catch {
            throw ValidationError(error.description)
        }
    }
}
