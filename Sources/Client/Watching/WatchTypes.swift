// What `clusterd watch` asks for, and what it hears.

import StreamProtocol

/// What to watch.
public struct WatchSettings: Sendable, Equatable {
    /// Where `clusterd serve` publishes unless it is told otherwise.
    public static let defaultEndpoint = "tcp://127.0.0.1:5557"

    /// The daemon's publisher.
    public let endpoint: String
    /// The only source to watch; nil is all.
    public let source: String?
    /// After how many assignments to end; nil is never.
    public let count: Int?

    /// A setting that cannot be used.
    public struct Invalid: Error, Equatable, CustomStringConvertible {
        /// The setting, what is wrong with it, and what would do.
        public let description: String
    }

    /// Checks and keeps settings.
    ///
    /// - Throws: `Invalid` for a name or a count that cannot be.
    public init(endpoint: String = defaultEndpoint, source: String? = nil, count: Int? = nil) throws(Invalid) {
        guard source.map(SourceName.isValid) ?? true else {
            throw Invalid(description: "a source's name has 1 to 64 of A-Z a-z 0-9 _ . -, which '\(source!)' has not")
        }
        guard count.map({ $0 > 0 }) ?? true else { throw Invalid(description: "a count is at least 1") }
        self.endpoint = endpoint
        self.source = source
        self.count = count
    }
}

/// What a watcher hears.
public enum WatchEvent: Sendable, Equatable {
    /// An image's cluster, and the message's own JSON on one line.
    case assignment(AssignmentMessage, json: [UInt8])
    /// An image that got none.
    case rejected(RejectedMessage)
    /// A checkpoint that was not announced before.
    case checkpoint(CheckpointMessage)
    /// Assignments with these numbers have not arrived.
    case missing(ClosedRange<UInt64>)
    /// The daemon numbers anew: it has been started again.
    case newEpoch(String)
    /// A message that is not what its topic promises.
    case malformed(MalformedMessage)
    /// Nobody is there yet.
    case waiting
    /// The daemon is there.
    case connected
    /// The daemon has gone; it is waited for.
    case connectionLost
    /// Everything that has arrived has been told; also told now and then while nothing arrives.
    case idle
}

/// What a watcher has heard so far.
public struct WatchTally: Sendable, Equatable {
    /// Assignments.
    public internal(set) var assignments = 0
    /// Images that were rejected.
    public internal(set) var rejected = 0
    /// Assignments that are known to have been missed.
    public internal(set) var missing: UInt64 = 0
    /// Messages that were not what their topic promised.
    public internal(set) var malformed = 0
    /// Assignments by cluster.
    public internal(set) var clusters: [Int: Int] = [:]
    /// From the first assignment to the last.
    public internal(set) var elapsed = Duration.zero

    /// Creates the tally of a watch that has heard nothing.
    public init() {}

    /// What was heard, in a line.
    public var summary: String {
        var line = counted(assignments, "assignment")
        if assignments > 1, elapsed > .milliseconds(1) {
            line += " in \(seconds(elapsed)), \(quantity(Double(assignments - 1) / (elapsed / .seconds(1)))) a second"
        }
        if rejected > 0 { line += "; \(grouped(rejected)) rejected" }
        if missing > 0 { line += "; \(grouped(missing)) missing" }
        if malformed > 0 { line += "; \(grouped(malformed)) malformed" }
        return line
    }

    /// How many assignments each cluster got, the first clusters first, in a line of at most `width` columns.
    func clusterSizes(width: Int) -> String {
        var line = ""
        for (cluster, count) in clusters.sorted(by: { $0.key < $1.key }) {
            let part = (line.isEmpty ? "" : "  ") + "\(cluster):\(grouped(count))"
            guard columns(line) + columns(part) <= width - 2 else { return line + " …" }
            line += part
        }
        return line
    }
}
