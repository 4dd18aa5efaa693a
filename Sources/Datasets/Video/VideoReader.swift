// The frames of a video, once through: ffmpeg decodes and makes JPEGs of them, a thread reads those from its pipe.
//
// ffmpeg is a child process. It ends with this reader, whatever becomes of either: the reader's end waits for it, and ffmpeg
// ends by itself at its next frame where nobody reads the pipe any more.

import Foundation

/// Reads a video from its beginning to its end, or until it is let go of.
package final class VideoReader {
    private let source: VideoSource
    private let label: String?
    private let queue: FrameQueue
    private let worker: VideoWorker
    private let begin: Int64
    private var nextNumber = 0

    /// Starts ffmpeg and the thread.
    ///
    /// - Parameters:
    ///   - label: goes with every frame.
    ///   - cancellation: a descriptor that becomes readable when no further frame is wanted; the video then ends.
    package init(
        _ source: VideoSource, options: VideoOptions, ffmpeg: FFmpeg, label: String?, cancellation: Int32?
    ) throws(DatasetError) {
        self.source = source
        self.label = label
        begin = VideoWorker.nanosecondsSince1970()
        queue = FrameQueue(dropsOldest: source.isLive)
        worker = try VideoWorker(source, options: options, ffmpeg: ffmpeg, cancellation: cancellation, queue: queue)
        let worker = worker
        let thread = Thread { worker.run() }
        thread.name = "video"
        thread.start()
    }

    deinit {
        worker.cancel()
        queue.close()
    }

    /// The next frame as an image, or why there is none; nil at the end. Waits for it.
    package func next() -> Result<ImageEntry, DatasetError>? {
        queue.next()?.map { frame in
            let digits = String(frame.number)
            let number = String(repeating: "0", count: max(0, 6 - digits.count)) + digits
            defer { nextNumber = frame.number + 1 }
            var entry = ImageEntry(
                id: "\(source.name)#\(number)", label: label.map { .text($0) }, encoding: .file(format: nil),
                payload: frame.bytes)
            entry.taken = source.isLive ? frame.read : begin + Int64(frame.time / .nanoseconds(1))
            entry.time = source.isLive ? nil : frame.time
            entry.missed = frame.number - nextNumber
            return entry
        }
    }
}

/// What the reader's thread does.
private final class VideoWorker: @unchecked Sendable {
    // Unchecked: all but `cancel` is used by the reader's thread alone.
    private static let mostLines = 3
    private static let longestLine = 300

    private let source: VideoSource
    private let patience: Duration?
    private let cancellation: Int32?
    private let queue: FrameQueue
    private let child: ChildProcess
    private let wake = Pipe()

    private var parser = SMJPEGParser()
    private var number = 0
    private var errors: [UInt8] = []

    private enum Ending {
        case unwanted
        case ended
        case silent
        case malformed
    }

    init(
        _ source: VideoSource, options: VideoOptions, ffmpeg: FFmpeg, cancellation: Int32?, queue: FrameQueue
    ) throws(DatasetError) {
        self.source = source
        self.cancellation = cancellation
        self.queue = queue
        patience = source.isLive ? options.patience : nil
        do throws(ChildProcess.Failure) {
            child = try ChildProcess(ffmpeg.program, source.arguments(options, sync: ffmpeg.sync))
        } catch {
            throw DatasetError(
                path: source.shown,
                reason: .video("cannot start \(ffmpeg.program): \(String(cString: strerror(error.errorNumber)))"))
        }
    }

    /// Has `run` return soon.
    func cancel() { wake.fileHandleForWriting.write(Data([1])) }

    func run() {
        let ending = readFrames()
        // Ended by itself, ffmpeg has an exit code to tell; otherwise it has to go.
        let status = ending == .ended ? child.wait() : child.end()
        if ending == .ended { while let more = readSome(child.errors), !more.isEmpty { note(more) } }
        queue.finish(failure(ending, status: status).map { DatasetError(path: source.shown, reason: .video($0)) })
    }

    private func readFrames() -> Ending {
        let descriptors =
            [child.output, child.errors, wake.fileHandleForReading.fileDescriptor] + [cancellation].compactMap { $0 }
        var items = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        var lastFrame = ContinuousClock.now
        while true {
            let left = patience.map { max(.zero, $0 - (.now - lastFrame)) }
            let count = poll(
                &items, nfds_t(items.count), left.map { Int32(clamping: Int($0 / .milliseconds(1)) + 1) } ?? -1)
            if count < 0, errno == EINTR { continue }
            if items[2...].contains(where: { $0.revents != 0 }) { return .unwanted }
            if items[1].revents != 0 {
                let more = readSome(child.errors) ?? []
                note(more)
                if more.isEmpty { items[1].fd = -1 }
            }
            if items[0].revents != 0 {
                guard let bytes = readSome(child.output), !bytes.isEmpty else { return .ended }
                parser.feed(bytes)
                do throws(SMJPEGParser.Malformed) {
                    while let frame = try parser.next() {
                        lastFrame = .now
                        guard push(frame) else { return .unwanted }
                    }
                } catch {
                    return .malformed
                }
            }
            if let patience, .now - lastFrame >= patience { return .silent }
        }
    }

    private func push(_ frame: SMJPEGParser.Frame) -> Bool {
        defer { number += 1 }
        return queue.push(
            VideoFrame(
                number: number, time: .milliseconds(Int64(frame.milliseconds)), read: Self.nanosecondsSince1970(),
                bytes: frame.bytes))
    }

    /// Keeps the end of what ffmpeg says.
    private func note(_ bytes: [UInt8]) { errors = (errors + bytes).suffix(4 << 10) }

    /// What is wrong with an ending, nil where nothing is.
    private func failure(_ ending: Ending, status: Int32) -> String? {
        let lines = String(decoding: errors, as: UTF8.self).split(separator: "\n")
            .map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }.suffix(Self.mostLines)
            .map { String($0.prefix(Self.longestLine)).replacing(source.argument, with: source.shown) }
        let said = lines.isEmpty ? "" : ": " + lines.joined(separator: " / ")
        switch ending {
        case .unwanted: return nil
        case .silent: return "no picture for \(Int((patience ?? .zero) / .seconds(1))) seconds" + said
        case .malformed: return "ffmpeg's output is not understood" + said
        case .ended where status != 0: return "ffmpeg ended with exit code \(status)" + said
        case .ended where number == 0: return "ffmpeg finds no picture in it" + said
        case .ended: return source.isLive ? "the stream has ended" + said : nil
        }
    }

    static func nanosecondsSince1970() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
