// What `clusterd watch` asks for, and what it hears.

import Remote
import StreamProtocol
import ZeroMQ

/// What to watch.
public struct WatchSettings: Sendable, Equatable {
    /// Where `clusterd serve` publishes unless it is told otherwise.
    public static let defaultEndpoint = "tcp://127.0.0.1:5557"

    /// The daemon's publisher.
    public let endpoint: String
    /// The daemon's control endpoint, which is asked for what did not arrive; nil, and that is told as missing.
    public let control: String?
    /// The first number to watch from; nil is the next to be given.
    public let start: UInt64?
    /// The epoch of `start`; nil is the one that numbers are given in.
    public let epoch: String?
    /// The only source to watch; nil is all.
    public let source: String?
    /// After how many assignments to end; nil is never.
    public let count: Int?
    /// The keys for both endpoints; nil is without encryption.
    public let curve: CurveClient?

    /// A setting that cannot be used.
    public struct Invalid: Error, Equatable, CustomStringConvertible {
        /// The setting, what is wrong with it, and what would do.
        public let description: String
    }

    /// Checks and keeps settings.
    ///
    /// - Throws: `Invalid` for a name or a number that cannot be.
    public init(
        endpoint: String = defaultEndpoint, control: String? = nil, source: String? = nil, start: UInt64? = nil,
        epoch: String? = nil, count: Int? = nil, curve: CurveClient? = nil
    ) throws(Invalid) {
        guard source.map(SourceName.isValid) ?? true else {
            throw Invalid(description: "a source's name has 1 to 64 of A-Z a-z 0-9 _ . -, which '\(source!)' has not")
        }
        guard count.map({ $0 > 0 }) ?? true else { throw Invalid(description: "a count is at least 1") }
        guard start != 0 else { throw Invalid(description: "numbers begin with 1") }
        guard epoch == nil || start != nil else { throw Invalid(description: "an epoch needs a number to begin with") }
        guard start == nil || control != nil else {
            throw Invalid(description: "what has been published before can only be had from the control endpoint")
        }
        self.endpoint = endpoint
        self.control = control
        self.start = start
        self.epoch = epoch
        self.source = source
        self.count = count
        self.curve = curve
    }

    /// Where the control endpoint of the daemon that publishes at `endpoint` is unless it has been told otherwise: the
    /// next port. Nil where there is no such.
    public static func control(beside endpoint: String) -> String? {
        guard endpoint.hasPrefix("tcp://"), let colon = endpoint.lastIndex(of: ":"),
            let port = UInt16(endpoint[endpoint.index(after: colon)...]), port < .max
        else { return nil }
        return "\(endpoint[...colon])\(port + 1)"
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
    /// Cluster numbers have another meaning from now on.
    case relabeling(RelabelingMessage)
    /// The assignments with the next numbers cannot be had.
    case missing(ClosedRange<UInt64>)
    /// What followed this number in an epoch that has ended cannot be had, if anything did.
    case unknownEnd(epoch: String, after: UInt64)
    /// The daemon numbers anew, since its journal was lost.
    case newEpoch(String)
    /// A message that is not what its topic promises.
    case malformed(MalformedMessage)
    /// Somebody is there who does not talk to this reader; told once for each reason.
    case handshakeFailed(HandshakeFailure)
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
    /// Assignments that were replayed, repetitions among them.
    public internal(set) var replayed = 0
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
        if replayed > 0 { line += "; \(grouped(replayed)) replayed" }
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
