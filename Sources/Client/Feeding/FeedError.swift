// Why a feed ended before its images did.

import Remote
import ZeroMQ

/// What ended a feed.
public enum FeedError: Error, Equatable, CustomStringConvertible {
    /// Nobody took the images for as long as the timeout says. Of those counted as sent, at most `inDoubt` have not left.
    case noReceiver(endpoint: String, waited: Duration, wants: Wanted, inDoubt: Int)
    /// The last images did not leave within the timeout; `inDoubt` at most.
    case lastImagesStuck(endpoint: String, waited: Duration, inDoubt: Int)
    /// A request was not answered; it is not known whether its image arrived.
    case noReply(endpoint: String, waited: Duration, id: String, attempts: Int)
    /// A socket failed.
    case socket(ZeroMQError)

    /// Who did not come.
    public enum Wanted: Sendable, Equatable {
        /// A peer of any kind.
        case receiver
        /// A subscriber to the feed's source.
        case subscriber
    }

    /// Runs `body`, whose socket errors become a feed's.
    static func catching<Value: ~Copyable>(_ body: () throws(ZeroMQError) -> Value) throws(FeedError) -> Value {
        do throws(ZeroMQError) {
            return try body()
        } catch {
            throw .socket(error)
        }
    }

    /// Whether a later attempt may succeed without any change on this side.
    public var isTemporary: Bool {
        if case .socket = self { false } else { true }
    }

    /// One line: what happened, where, and how many images it concerns.
    public var description: String {
        switch self {
        case .noReceiver(let endpoint, let waited, let wants, let inDoubt):
            let who = wants == .receiver ? "no receiver" : "no subscriber"
            return "\(who) at \(endpoint) for \(seconds(waited)); is `clusterd serve` running?" + Self.loss(inDoubt)
        case .lastImagesStuck(let endpoint, let waited, let inDoubt):
            return "\(endpoint) did not take the last images within \(seconds(waited))." + Self.loss(inDoubt)
        case .noReply(let endpoint, let waited, let id, let attempts):
            let times = attempts == 1 ? "once" : "\(attempts) times"
            return "no reply from \(endpoint) to \(printable(id)), sent \(times), within \(seconds(waited)); "
                + "it is not known whether this image arrived"
        case .socket(let error): return error.description
        }
    }

    private static func loss(_ inDoubt: Int) -> String {
        inDoubt == 0 ? "" : " Up to \(grouped(inDoubt)) of the images counted as sent are not known to be delivered"
    }
}
