// `clusterd feed`: images from files into a daemon.

import ArgumentParser
import Client
import Daemon
import Datasets
import Glibc
import Remote

extension FeedSettings.Pattern: ExpressibleByArgument {}

/// Sends images to a daemon.
struct FeedCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "feed",
        abstract: "Sends images to a daemon over ZeroMQ.",
        discussion: """
            A SOURCE is one of
              a folder  All .jpg .jpeg .png .webp files below it, and IDX files, in
                        natural order (2.jpg before 10.jpg). Names that begin with
                        a dot are left out; links to folders are followed once.
              a file    An image, or an IDX file such as
                        train-images-idx3-ubyte.gz, packed or not.
              -         A list of paths on standard input, one a line, or
                        separated by zero bytes (find -print0). Images are sent
                        while the list is still being written.

            EXAMPLES
              Everything below photos/, to `clusterd serve` on this machine:
                clusterd feed photos

              60,000 labelled images in a random order, twice. Labels are never
              trained on, only used to report how well the clusters fit:
                clusterd feed --labels --shuffle --loop 2 train-images-idx3-ubyte.gz

              Like a camera, five images a second, which does not wait for a
              slow daemon:
                clusterd feed photos --pattern pub --rate 5 --name cam1

              What another program finds, as it finds it:
                find /data -name '*.jpg' -newer stamp | clusterd feed -

            PATTERNS
              push  Waits while the daemon has no room: nothing is lost.
              pub   To every subscriber; begins when the first one is there.
                    A daemon whose queue is full drops the oldest.
              req   Waits for the answer to each image, which says whether the
                    daemon has taken it. Needs --to, and a daemon with a source
                    of `pattern: rep`.

            The daemon may be started after the feed, and started again in the \
            middle of it. An image that cannot be read is named and left out. \
            Ctrl-C ends the feed in order, a second one at once.

            EXIT STATUS
              0   All readable images were sent, or Ctrl-C.
              64  Wrong usage.
              74  A source cannot be read, no image could be or was taken, or
                  the endpoint cannot be used.
              75  The receiver did not come, or left for longer than --timeout;
                  how many images are in doubt is said.
            """)

    @Argument(
        help: ArgumentHelp("Folders, image files, IDX files, or - for a list on standard input.", valueName: "source"))
    var sources: [String]

    @Option(
        name: .customLong("to"),
        help: ArgumentHelp(
            "Where to send. (default: tcp://127.0.0.1:5556; with --pattern pub tcp://127.0.0.1:5555)",
            valueName: "endpoint"))
    var endpoint: String?

    @Option(help: ArgumentHelp("How to send.", valueName: "pattern"))
    var pattern = FeedSettings.Pattern.push

    @Flag(help: "Listen at the endpoint instead of connecting to it, for a daemon whose source has `role: connect`.")
    var bind = false

    @Option(help: ArgumentHelp("The source's name: 1 to 64 of A-Z a-z 0-9 _ . -", valueName: "name"))
    var name = "feed"

    @Flag(help: "Send labels: the name of the folder that holds an image; for IDX files, the label file beside them.")
    var labels = false

    @Option(help: ArgumentHelp("Images a second. (default: as fast as they are taken)", valueName: "n"))
    var rate: Double?

    @Flag(help: "Send in a random order, another one in each loop.")
    var shuffle = false

    @Option(
        help: ArgumentHelp("What the random order is drawn from: the same seed gives the same order.", valueName: "n"))
    var seed: UInt64 = 42

    @Option(help: ArgumentHelp("How many times to send everything; 0 is until interrupted.", valueName: "n"))
    var loop = 1

    @Option(
        help: ArgumentHelp(
            "How many seconds to wait for a receiver that is not there, for a reply, and for the last images to leave.",
            valueName: "seconds"))
    var timeout = 30.0

    @OptionGroup var curve: CurveOptions

    @Flag(help: "Show no progress bar on a terminal.")
    var noProgress = false

    func validate() throws {
        guard !sources.isEmpty else { throw ValidationError("name at least one source; see `clusterd feed --help`") }
        guard sources.count(where: { $0 == ImageCollection.listArgument }) <= 1 else {
            throw ValidationError("standard input (-) can be named only once")
        }
        guard loop >= 0 else { throw ValidationError("--loop is 0 or more") }
        if pattern == .req, endpoint == nil {
            throw ValidationError("--pattern req needs --to: no source of the default configuration answers requests")
        }
        _ = try settings()
    }

    func run() throws {
        let settings = try settings()
        let stop = try StopSignal()
        let signals = SignalHandling(onStop: { _ in stop.request() })
        defer { withExtendedLifetime(signals) {} }

        let display = FeedDisplay(settings: settings, showsBar: !noProgress)
        let images: ImageStream
        do {
            images = try ImageStream(
                opening: sources, labelled: labels, list: PathList(cancellation: stop.descriptor),
                passes: loop == 0 ? nil : loop, shuffleSeed: shuffle ? seed : nil)
        } catch {
            display.say("clusterd feed: \(printable(error.description))")
            throw ExitCode(EX_IOERR)
        }

        let feeder = Feeder(settings: settings, stop: stop)
        do throws(FeedError) {
            try feeder.run(images) { event in display.show(event) }
        } catch {
            display.end(feeder.progress, interrupted: stop.isRequested)
            display.say("clusterd feed: \(error)")
            throw ExitCode(error.isTemporary ? EX_TEMPFAIL : EX_IOERR)
        }
        display.end(feeder.progress, interrupted: stop.isRequested)
        let progress = feeder.progress
        let isInVain = progress.sent == progress.refused && progress.unreadable + progress.refused > 0
        if isInVain, !stop.isRequested { throw ExitCode(EX_IOERR) }
    }

    private func settings() throws -> FeedSettings {
        do {
            guard timeout.isFinite else { throw ValidationError("--timeout is a number of seconds") }
            return try FeedSettings(
                pattern: pattern, endpoint: endpoint, binds: bind, source: name, rate: rate, timeout: .seconds(timeout),
                curve: try curve.client())
        } catch let error as FeedSettings.Invalid {
            throw ValidationError(error.description)
        }
    }
}
