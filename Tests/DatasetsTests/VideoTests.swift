// Videos: what ffmpeg is told, its output, however it is cut, and real files, made by ffmpeg itself, to their ends and not.

import Datasets
import Foundation
import XCTest

final class VideoTests: XCTestCase {
    private func arguments(_ argument: String, _ kind: VideoSource.Kind, _ options: VideoOptions = VideoOptions())
        -> String
    {
        VideoSource(argument: argument, kind: kind).arguments(options, sync: ["-fps_mode", "vfr"]).joined(
            separator: " ")
    }

    private let output =
        "-fps_mode vfr -c:v mjpeg -q:v 3 -pix_fmt yuvj420p -threads 1 -f smjpeg -flush_packets 1 pipe:1"
    private let beginning = "-nostdin -hide_banner -loglevel error"

    func testWhatFFmpegIsTold() {
        let options = VideoOptions(framesPerSecond: 2.5, size: VideoOptions.Size(width: 640, height: 480))
        XCTAssertEqual(arguments("-odd:name.avi", .file), "\(beginning) -i file:-odd:name.avi -map 0:v:0 \(output)")
        XCTAssertEqual(
            arguments("clip.avi", .file, options),
            "\(beginning) -i file:clip.avi -map 0:v:0 -vf fps=2.5,scale=640:480 \(output)")
        // There is no camera where tests run; these are the arguments that ffmpeg's manual gives for one.
        XCTAssertEqual(
            arguments("/dev/video0", .device, options),
            "\(beginning) -f v4l2 -framerate 2.5 -video_size 640x480 -i /dev/video0 -map 0:v:0 "
                + "-vf fps=2.5,scale=640:480 \(output)")
        XCTAssertEqual(
            arguments("rtsp://camera/stream", .address),
            "\(beginning) -rtsp_transport tcp -i rtsp://camera/stream -map 0:v:0 \(output)")
        XCTAssertEqual(
            arguments("http://camera/video.mjpg", .address),
            "\(beginning) -i http://camera/video.mjpg -map 0:v:0 \(output)")
    }

    func testTheVersionDecidesHowTimesAreKept() {
        for (line, option) in [
            ("ffmpeg version 4.4.2-0ubuntu0.22.04.1 Copyright", "-vsync"), ("ffmpeg version 5.0.1 C", "-vsync"),
            ("ffmpeg version 5.1.9-0+deb12u1 Copyright", "-fps_mode"), ("ffmpeg version 10.2 C", "-fps_mode"),
            ("ffmpeg version n7.1 C", "-fps_mode"), ("ffmpeg version N-1234-gabc C", "-fps_mode"), ("", "-fps_mode"),
        ] {
            XCTAssertEqual(FFmpeg.sync(version: line), [option, "vfr"], line)
        }
    }

    func testWhatIsAVideoAndWhatItIsCalled() throws {
        let scratch = try Scratch(self)
        let named = try scratch.write("clip.MP4")
        let unnamed = try scratch.write("clip", Array("RIFF....AVI LIST".utf8))
        XCTAssertEqual(VideoSource(named)?.kind, .file)
        XCTAssertEqual(VideoSource(named)?.name, "clip.MP4")
        XCTAssertEqual(VideoSource(unnamed)?.kind, .file)
        XCTAssertNil(VideoSource(try scratch.write("a.webp", Array("RIFF....AVI LIST".utf8))))
        XCTAssertNil(VideoSource(try scratch.write("notes")))
        XCTAssertNil(VideoSource(scratch.path))
        XCTAssertNil(VideoSource("/dev/video77"), "a camera that is not there is no video, but a missing file")
        XCTAssertEqual(VideoSource("/dev/null")?.kind, .device)
        XCTAssertEqual(VideoSource("/dev/null")?.isLive, true)
        XCTAssertNil(VideoSource("file:///a/b.jpg"))
        XCTAssertNil(VideoSource("a b://c"))

        let camera = try XCTUnwrap(VideoSource("rtsp://me:secret@camera:554/stream1?channel=1"))
        XCTAssertEqual(camera.kind, .address)
        XCTAssertEqual(camera.name, "stream1")
        XCTAssertEqual(camera.shown, "rtsp://me:…@camera:554/stream1?channel=1")
        XCTAssertEqual(VideoSource("rtsp://me:secret@camera")?.name, "camera")
        XCTAssertEqual(VideoSource("udp://0.0.0.0:1234")?.shown, "udp://0.0.0.0:1234")
    }

    // MARK: SMJPEG

    private func stream(_ frames: [(UInt32, [UInt8])]) -> [UInt8] {
        func word(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(value >> (24 - 8 * $0) & 255) } }
        var bytes: [UInt8] = [0, 10] + Array("SMJPEG".utf8) + word(0) + word(0)
        bytes += Array("_TXT".utf8) + word(3) + [1, 2, 3] + Array("HEND".utf8)
        for (time, frame) in frames { bytes += Array("vidD".utf8) + word(time) + word(UInt32(frame.count)) + frame }
        return bytes + Array("DONE".utf8)
    }

    func testFramesAreFoundHoweverTheStreamIsCut() throws {
        let bytes = stream([(0, [1]), (40, []), (70_000, [UInt8](repeating: 9, count: 1000))])
        for piece in [1, 2, 7, 500, bytes.count] {
            var parser = SMJPEGParser()
            var frames: [SMJPEGParser.Frame] = []
            for start in stride(from: 0, to: bytes.count, by: piece) {
                parser.feed(Array(bytes[start..<min(start + piece, bytes.count)]))
                while let frame = try parser.next() { frames.append(frame) }
            }
            XCTAssertEqual(frames.map(\.milliseconds), [0, 40, 70_000])
            XCTAssertEqual(frames.map(\.bytes.count), [1, 0, 1000])
        }
    }

    func testWhatIsNoSMJPEGIsRefused() {
        var good = stream([(0, [1])])
        var parser = SMJPEGParser()
        parser.feed(Array("RIFF....AVI LIST....".utf8))
        XCTAssertThrowsError(try parser.next())
        parser = SMJPEGParser()
        good[16] = UInt8(ascii: "?")
        good[20] = 255
        parser.feed(good)
        XCTAssertThrowsError(try parser.next(), "a section of 4 GB")
        parser = SMJPEGParser()
        parser.feed(stream([]).dropLast(4) + Array("vidD".utf8) + [0, 0, 0, 0, 255, 255, 255, 255])
        XCTAssertThrowsError(try parser.next(), "a frame of 4 GB")
    }

    // MARK: ffmpeg

    /// A video of `seconds` with ten frames a second, each of one colour.
    private func video(_ name: String, in scratch: Scratch, seconds: Int = 2) throws -> String {
        let file = scratch.path + "/" + name
        let source = VideoSource(argument: file, kind: .file)
        let child = try ChildProcess(
            try FFmpeg.find(toRead: source).program,
            [
                "-nostdin", "-loglevel", "error", "-f", "lavfi", "-i",
                "color=red:size=64x48:rate=10:duration=\(seconds)", "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", file,
            ])
        XCTAssertEqual(child.wait(), 0)
        return file
    }

    private func skipWithoutFFmpeg() throws {
        guard (try? FFmpeg.find(toRead: VideoSource(argument: "x", kind: .file))) == nil else { return }
        guard ProcessInfo.processInfo.environment["CI"] != "true" else { return XCTFail("ffmpeg is missing") }
        throw XCTSkip("ffmpeg is missing")
    }

    func testAFileHasItsFramesWithTheirTimes() throws {
        try skipWithoutFFmpeg()
        let scratch = try Scratch(self)
        let file = try video("clips/red.avi", in: try folder("clips", scratch))
        var stream = try ImageStream(opening: [file], labelled: true, passes: 2)
        XCTAssertNil(stream.total)
        var entries: [ImageEntry] = []
        while let entry = stream.next() { entries.append(try entry.get()) }
        XCTAssertEqual(entries.count, 40)
        XCTAssertEqual(entries.map(\.id).prefix(2), ["red.avi#000000", "red.avi#000001"])
        XCTAssertEqual(entries[19].id, "red.avi#000019")
        XCTAssertEqual(entries[20].id, "red.avi#000000", "the second pass")
        XCTAssertEqual(entries.map(\.time).prefix(3), [.zero, .milliseconds(100), .milliseconds(200)])
        XCTAssertEqual(try XCTUnwrap(entries[19].taken) - XCTUnwrap(entries[0].taken), 1_900_000_000)
        XCTAssertEqual(entries[0].label, .text("clips"))
        XCTAssertEqual(Set(entries.map(\.missed)), [0])
        for entry in entries { XCTAssertEqual(entry.payload.prefix(3), [0xFF, 0xD8, 0xFF]) }
    }

    private func folder(_ name: String, _ scratch: Scratch) throws -> Scratch {
        try FileManager.default.createDirectory(
            atPath: scratch.path + "/" + name, withIntermediateDirectories: true)
        return scratch
    }

    func testFewerFramesOfAnotherSize() throws {
        try skipWithoutFFmpeg()
        let file = try video("red.avi", in: try Scratch(self))
        let options = VideoOptions(framesPerSecond: 5, size: VideoOptions.Size(width: 20, height: 10))
        let entries = try ImageStream(opening: [file], video: options).map { try $0.get() }
        XCTAssertEqual(entries.count, 10)
        XCTAssertEqual(entries[9].time, .milliseconds(1800))
        // The frame header of a JPEG: FF C0, length, precision, height and width.
        let header = try XCTUnwrap(entries[0].payload.firstRange(of: [0xFF, 0xC0]))
        XCTAssertEqual(Array(entries[0].payload[header.lowerBound + 5..<header.lowerBound + 9]), [0, 10, 0, 20])
    }

    func testWhatIsNoVideoIsToldInFFmpegsWords() throws {
        try skipWithoutFFmpeg()
        let scratch = try Scratch(self)
        let file = try scratch.write("bad.mp4", Array("hello".utf8))
        var stream = try ImageStream(opening: [file])
        let error = try XCTUnwrap(thrown(try stream.next()?.get()))
        XCTAssertTrue(error.isOfVideo)
        XCTAssertTrue(error.description.contains("ffmpeg ended with exit code 1: "), error.description)
        XCTAssertTrue(error.description.contains("Invalid data"), error.description)
        XCTAssertNil(stream.next())
    }

    func testAMissingFFmpegIsNamed() throws {
        let source = VideoSource(argument: "clip.avi", kind: .file)
        let error = thrown(try FFmpeg.find(toRead: source, path: "/nonexistent:/proc"))
        XCTAssertEqual(error?.reason, .noFFmpeg)
        XCTAssertTrue(error?.description.contains("apt-get install ffmpeg") == true)
    }

    /// An ffmpeg of the test's own, which does what `script` says after its version has been asked for.
    private func ffmpeg(_ script: String, in scratch: Scratch) throws -> FFmpeg {
        let program = try scratch.write("ffmpeg", Array("#!/bin/sh\n\(script)\n".utf8))
        chmod(program, 0o755)
        return FFmpeg(program: program, sync: [])
    }

    private func reader(
        _ script: String, kind: VideoSource.Kind, patience: Duration = .seconds(20), in scratch: Scratch,
        cancellation: Int32? = nil
    ) throws -> VideoReader {
        try VideoReader(
            VideoSource(argument: "camera", kind: kind), options: VideoOptions(patience: patience),
            ffmpeg: try ffmpeg(script, in: scratch), label: nil, cancellation: cancellation)
    }

    func testAChildThatWouldRunForEverEndsWithItsReader() throws {
        let scratch = try Scratch(self)
        let frames = try scratch.write("frames", stream((0..<100).map { (UInt32($0), [1, 2, 3]) }))
        for script in [
            "echo $$ > pid; exec sleep 1000", "echo $$ > pid; trap '' TERM; cat frames; while :; do sleep 1; done",
        ] {
            let pid = scratch.path + "/pid"
            var reader: VideoReader? = try self.reader(
                "cd '\(scratch.path)'; cat '\(frames)'; \(script)", kind: .device, in: scratch)
            XCTAssertNotNil(try reader?.next()?.get())
            while (try? String(contentsOfFile: pid, encoding: .utf8))?.hasSuffix("\n") != true { usleep(1000) }
            let process = try XCTUnwrap(pid_t(try String(contentsOfFile: pid, encoding: .utf8).dropLast()))
            reader = nil
            XCTAssertEqual(kill(process, 0), -1, "\(script): it is still there")
            try FileManager.default.removeItem(atPath: pid)
        }
    }

    func testOfACameraTheNewestFramesAreKept() {
        let queue = FrameQueue(dropsOldest: true)
        for number in 0..<100 {
            XCTAssertTrue(
                queue.push(VideoFrame(number: number, time: .zero, read: Int64(number), bytes: [UInt8(number)])))
        }
        queue.finish(nil)
        var numbers: [Int] = []
        while let frame = queue.next() { numbers.append((try? frame.get().number) ?? -1) }
        XCTAssertEqual(numbers, [96, 97, 98, 99])
        queue.close()
        XCTAssertFalse(queue.push(VideoFrame(number: 100, time: .zero, read: 0, bytes: [])))
    }

    func testFramesThatAreLeftOutAreCounted() throws {
        let scratch = try Scratch(self)
        let frames = try scratch.write("frames", stream((0..<100).map { (UInt32($0), [UInt8($0)]) }))
        let reader = try reader("cat '\(frames)'; echo gone >&2", kind: .device, in: scratch)
        var entries: [ImageEntry] = []
        var problem: DatasetError?
        while let result = reader.next() {
            switch result {
            case .success(let entry): entries.append(entry)
            case .failure(let error): problem = error
            }
        }
        // How many depends on how fast this is.
        XCTAssertEqual(entries.count + entries.map(\.missed).reduce(0, +), 100)
        XCTAssertEqual(entries.last?.id, "camera#000099")
        for entry in entries { XCTAssertEqual(Int(entry.id.suffix(6)), Int(entry.payload[0])) }
        XCTAssertNil(entries[0].time, "a camera has a pace of its own")
        XCTAssertEqual(problem?.description, "camera: the stream has ended: gone")
    }

    func testAFileWaitsForItsReader() throws {
        let scratch = try Scratch(self)
        let frames = try scratch.write("frames", stream((0..<100).map { (UInt32($0), [UInt8($0)]) }))
        let reader = try reader("cat '\(frames)'", kind: .file, in: scratch)
        var values: [UInt8] = []
        while let entry = reader.next() { values += try entry.get().payload }
        XCTAssertEqual(values, Array(0..<100))
    }

    func testASilentCameraIsGivenUp() throws {
        let scratch = try Scratch(self)
        let reader = try reader(
            "echo 'no signal' >&2; exec sleep 1000", kind: .address, patience: .seconds(5), in: scratch)
        XCTAssertEqual(thrown(try reader.next()?.get())?.description, "camera: no picture for 5 seconds: no signal")
        XCTAssertNil(reader.next())
    }

    func testACancelledVideoEndsWithoutAComplaint() throws {
        let scratch = try Scratch(self)
        let cancel = Pipe()
        let reader = try reader(
            "exec sleep 1000", kind: .device, in: scratch,
            cancellation: cancel.fileHandleForReading.fileDescriptor)
        try cancel.fileHandleForWriting.write(contentsOf: Data([1]))
        XCTAssertNil(reader.next())
        withExtendedLifetime(cancel) {}
    }
}
