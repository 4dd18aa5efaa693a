// What tests of the metrics stand on: the text read again, Prometheus's programs, and a listener that hands the text out.

import Daemon
import Foundation
import Telemetry
import XCTest

/// A text of metrics as Prometheus would read it.
struct Scrape {
    /// The series' values, by name and labels as they stand in the text.
    let values: [String: Double]
    /// The names that the text tells of, without the parts of histograms.
    let names: [String]

    init(_ text: String) {
        var values: [String: Double] = [:]
        var names: [String] = []
        for line in text.split(separator: "\n") {
            if line.hasPrefix("# TYPE ") {
                names.append(String(line.split(separator: " ")[2]))
            } else if !line.hasPrefix("#"), let space = line.lastIndex(of: " ") {
                let key = String(line[..<space])
                XCTAssertNil(values[key], "\(key) is there twice")
                values[key] = Double(line[line.index(after: space)...])
            }
        }
        self.values = values
        self.names = names
    }

    subscript(series: String) -> Double? { values[series] }
}

/// The repository's folder.
let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
    .standardizedFileURL

extension XCTestCase {
    /// The path of `prometheus` or `promtool`: in the folder that `CLUSTERD_TEST_PROMETHEUS` names, or installed.
    func prometheusProgram(_ name: String) throws -> String {
        let folder = ProcessInfo.processInfo.environment["CLUSTERD_TEST_PROMETHEUS"] ?? "/usr/bin"
        let path = folder + "/" + name
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw missing("there is no \(path): CLUSTERD_TEST_PROMETHEUS names a folder with prometheus and promtool")
        }
        return path
    }

    /// Runs `promtool` and returns what it says, once it has found nothing wrong.
    @discardableResult
    func promtool(_ arguments: [String], input: String = "") throws -> String {
        let process = try TestProcess(prometheusProgram("promtool"), arguments)
        try process.input.write(contentsOf: Data(input.utf8))
        try process.input.close()
        let status = process.wait()
        let said = (process.output.read { $0.lines } + process.errors.read { $0.lines }).joined(separator: "\n")
        XCTAssertEqual(status, 0, "promtool \(arguments.joined(separator: " ")): \(said)")
        return said
    }
}

/// Answers every HTTP request with the same document, as it is at the moment; for tests alone.
final class DocumentListener: Sendable {
    let port: UInt16
    private let descriptor: Int32
    private let thread: WorkerThread

    init(_ document: @escaping @Sendable () -> String) throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, length) == 0 && listen(descriptor, 16) == 0
                    && getsockname(descriptor, address, &length) == 0
            }
        }
        guard status else { throw CocoaError(.fileReadUnknown) }
        self.descriptor = descriptor
        port = UInt16(bigEndian: address.sin_port)
        thread = WorkerThread(name: "listener") {
            while true {
                let connection = accept(descriptor, nil, nil)
                guard connection >= 0 else { return }
                var request = [UInt8](repeating: 0, count: 8192)
                // One request a connection; those of Prometheus come whole.
                if recv(connection, &request, request.count, 0) > 0 {
                    let body = document()
                    let head =
                        "HTTP/1.1 200 OK\r\nContent-Type: \(MetricRegistry.contentType)\r\n"
                        + "Content-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n"
                    let bytes = Array((head + body).utf8)
                    var sent = 0
                    while sent < bytes.count {
                        let count = bytes.withUnsafeBytes {
                            send(connection, $0.baseAddress! + sent, $0.count - sent, Int32(MSG_NOSIGNAL))
                        }
                        guard count > 0 else { break }
                        sent += count
                    }
                }
                close(connection)
            }
        }
        thread.start()
    }

    deinit {
        shutdown(descriptor, Int32(SHUT_RDWR))
        thread.join()
        close(descriptor)
    }
}
