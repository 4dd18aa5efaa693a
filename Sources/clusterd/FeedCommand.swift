// `clusterd feed`: images from files, videos, cameras and folders into a daemon.

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
              a video   A file, a camera such as /dev/video0, or an address such as
                        rtsp://camera/stream, read through ffmpeg. Its frames are
                        clip.avi#000000 and so on. A file is sent at its own rate,
                        or as --rate and --fast say; of a camera the newest frames
                        are sent, and what the daemon cannot take is left out.
              -         A list of paths on standard input, one a line, or each
                        ended by a zero byte (find -print0). Images are sent while
                        the list is still being written. file:/// addresses are
                        understood here too.

            With --watch the folders named are watched: what is in them is sent, \
            and then what comes, as soon as it has been written, moved or linked \
            there, until Ctrl-C.

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
                clusterd feed --watch /data --skip-existing

              A video, and a camera twice a second in a smaller size:
                clusterd feed clip.avi
                clusterd feed /dev/video0 --pattern pub --fps 2 --size 640x480

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
              74  A source cannot be read, no image could be or was taken, a
                  video broke off or a camera's stream ended, ffmpeg is missing,
                  or the endpoint cannot be used.
              75  The receiver did not come, or left for longer than --timeout;
                  how many images are in doubt is said.
            """)

    @Argument(
        help: ArgumentHelp(
            "Folders, image files, IDX files, videos, cameras, or - for a list on standard input.", valueName: "source"),
        completion: .file())
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

    @Option(
        help: ArgumentHelp(
            "Images a second. (default: as fast as they are taken, frames of a video file as it plays)", valueName: "n")
    )
    var rate: Double?

    @OptionGroup(title: "Videos and cameras") var video: VideoOptionGroup

    @Flag(help: "Watch the folders named for new images, which are sent when they are complete.")
    var watch = false

    @Flag(help: "With --watch, leave out the images that are there already.")
    var skipExisting = false

    @Flag(
        name: [.customShort("0"), .customLong("null")],
        help: "Paths on standard input end in a zero byte, not a newline.")
    var endsInZero = false

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
        if watch, loop != 1 || shuffle || sources.contains(ImageCollection.listArgument) {
            throw ValidationError("--watch takes folders, once and in the order in which images come")
        }
        guard watch || !skipExisting else { throw ValidationError("--skip-existing goes with --watch") }
        _ = try settings()
        _ = try video.options(timeout: timeout)
    }

    func run() throws {
        let settings = try settings()
        let stop = try StopSignal()
        let signals = SignalHandling(onStop: { _ in stop.request() })
        defer { withExtendedLifetime(signals) {} }

        let display = FeedDisplay(settings: settings, showsBar: !noProgress)
        let images: ImageStream
        do {
            images = try open(stop)
        } catch let error as DatasetError {
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
        if progress.brokenVideos > 0, !stop.isRequested { throw ExitCode(EX_IOERR) }
        // Its folders have gone.
        if watch, !stop.isRequested { throw ExitCode(EX_IOERR) }
        let isInVain = progress.sent == progress.refused && progress.unreadable + progress.refused > 0
        if isInVain, !stop.isRequested { throw ExitCode(EX_IOERR) }
    }

    private func open(_ stop: StopSignal) throws -> ImageStream {
        if watch {
            return ImageStream(
                try FolderWatch(
                    sources, labelled: labels, skipsExisting: skipExisting, cancellation: stop.descriptor))
        }
        return try ImageStream(
            opening: sources, labelled: labels,
            list: PathList(cancellation: stop.descriptor, endsInZero: endsInZero ? true : nil),
            passes: loop == 0 ? nil : loop, shuffleSeed: shuffle ? seed : nil,
            video: try video.options(timeout: timeout),
            cancellation: stop.descriptor)
    }

    private func settings() throws -> FeedSettings {
        do {
            guard timeout.isFinite else { throw ValidationError("--timeout is a number of seconds") }
            return try FeedSettings(
                pattern: pattern, endpoint: endpoint, binds: bind, source: name, rate: rate, playsVideos: !video.fast,
                timeout: .seconds(timeout), curve: try curve.client())
        } catch let error as FeedSettings.Invalid {
            throw ValidationError(error.description)
        }
    }
}
