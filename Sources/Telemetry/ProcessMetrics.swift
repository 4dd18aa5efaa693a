// What the system knows of this process, under the names that Prometheus's own libraries give it: proc(5).

import Glibc

/// Memory, processor time and file descriptors of this process.
public enum ProcessMetrics {
    private static let cpu = Metric.counter(
        "process_cpu_seconds_total", "Processor time that the process has used, in user and system mode, in seconds")
    private static let resident = Metric.gauge(
        "process_resident_memory_bytes", "Memory of the process that is in RAM, in bytes")
    private static let virtual = Metric.gauge(
        "process_virtual_memory_bytes", "Address space of the process, in bytes")
    private static let started = Metric.gauge(
        "process_start_time_seconds", "When the process was started, in seconds since 1970")
    private static let openFiles = Metric.gauge("process_open_fds", "Open file descriptors")
    private static let maximumFiles = Metric.gauge("process_max_fds", "File descriptors that may be open")
    private static let threads = Metric.gauge("process_threads", "Threads of the process")

    /// The metrics.
    public static let all = [cpu, resident, virtual, started, openFiles, maximumFiles, threads]

    /// Adds the values at this moment; what the system does not tell is left out.
    public static func read(into samples: inout MetricSamples) {
        var time = timespec()
        if clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0 {
            samples.add(cpu, Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9)
        }
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            samples.add(maximumFiles, Double(limit.rlim_cur))
        }
        if let count = openFileCount() { samples.add(openFiles, count) }
        guard let stat = Stat(contents(of: "/proc/self/stat")) else { return }
        samples.add(threads, stat.threads)
        samples.add(virtual, stat.virtualBytes)
        samples.add(resident, stat.residentPages * UInt64(sysconf(Int32(_SC_PAGESIZE))))
        if let boot = bootTime {
            samples.add(started, boot + Double(stat.startTicks) / Double(sysconf(Int32(_SC_CLK_TCK))))
        }
    }

    /// What /proc/self/stat says.
    struct Stat: Equatable {
        var threads: UInt64
        var startTicks: UInt64
        var virtualBytes: UInt64
        var residentPages: UInt64

        /// The second field is the program's name in brackets, and may itself have spaces and brackets.
        init?(_ text: String) {
            guard let name = text.lastIndex(of: ")") else { return nil }
            // From the third field on.
            let fields = text[text.index(after: name)...].split(whereSeparator: \.isWhitespace)
            func field(_ number: Int) -> UInt64? { fields.count > number - 3 ? UInt64(fields[number - 3]) : nil }
            guard let threads = field(20), let startTicks = field(22), let bytes = field(23), let pages = field(24)
            else {
                return nil
            }
            self.threads = threads
            self.startTicks = startTicks
            virtualBytes = bytes
            residentPages = pages
        }
    }

    /// When the system was started, in seconds since 1970.
    private static let bootTime: Double? = contents(of: "/proc/stat").split(separator: "\n")
        .first { $0.hasPrefix("btime ") }.flatMap { Double($0.dropFirst("btime ".count)) }

    private static func openFileCount() -> Int? {
        guard let folder = opendir("/proc/self/fd") else { return nil }
        defer { closedir(folder) }
        var names = 0
        while readdir(folder) != nil { names += 1 }
        // Without “.”, “..” and the folder's own descriptor.
        return names - 3
    }

    private static func contents(of path: String) -> String {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "" }
        defer { close(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = Glibc.read(file, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            bytes += buffer.prefix(count)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
