// The sources' sockets, read in turn: each message is counted, admitted or refused, and answered where its sender waits.
//
// It belongs to the Gateway's thread. A turn is bounded by messages and by bytes, so that neither a flood nor large pictures
// of one source delay the replies of another; within a source ZeroMQ takes from its peers in turn.

import Logging
import StreamProtocol
import ZeroMQ

/// All sources' sockets.
final class SourceIntake {
    private struct Source {
        let reader: SourceReader
        let token: Poller.Token
        /// While the input is being stopped: when it last brought something, or could not be read.
        var lastArrival = ContinuousClock.now
    }

    private let gateway: Gateway
    private let drainTime: Duration
    private let quietTime: Duration
    private var sources: [Source] = []
    private var first = 0
    /// Once the input is to be stopped: until when it is still read.
    private var deadline: ContinuousClock.Instant?

    /// How many messages of one source are read before the next one's turn, and how many bytes.
    private static let turn = (messages: 64, bytes: 8 << 20)

    /// Opens every socket and has the poller wait for messages.
    ///
    /// - Throws: `ZeroMQError` with the endpoint.
    init(
        gateway: Gateway, settings: GatewaySettings, context: ZeroMQContext, access: AccessControl,
        poller: inout Poller
    ) throws(ZeroMQError) {
        self.gateway = gateway
        drainTime = settings.drainTime
        quietTime = settings.quietTime
        for source in settings.sources {
            let reader = try SourceReader(source, gateway: settings, context: context, access: access)
            sources.append(Source(reader: reader, token: reader.watch(in: &poller)))
        }
    }

    /// Where the sockets listen or connect, ports resolved, in the order of the configuration.
    var endpoints: [String] { sources.map(\.reader.endpoint) }

    /// Has the poller wait for those sources that may be read.
    func watch(in poller: inout Poller) {
        for (index, source) in sources.enumerated() {
            poller.setInterest(source.token, gateway.queues.mayRead(source: index) ? .readable : [])
        }
    }

    /// Reads the sources that have messages according to the poller's last wait, each for a turn.
    func read(after poller: Poller) {
        for offset in sources.indices {
            let index = (first + offset) % sources.count
            let reader = sources[index].reader
            guard reader.isOpen, poller.events(of: sources[index].token) == .readable else { continue }
            do {
                var (messages, bytes) = (0, 0)
                while messages < Self.turn.messages, bytes < Self.turn.bytes, gateway.queues.mayRead(source: index),
                    let arrival = try reader.next()
                {
                    let reply = handle(arrival, source: index)
                    if let request = arrival.request { try reader.reply(reply, to: request) }
                    messages += 1
                    bytes += arrival.bytes
                }
            } catch {
                gateway.logger.error("source \(reader.settings.name) failed and is closed: \(error)")
                reader.close()
            }
        }
        if !sources.isEmpty { first = (first + 1) % sources.count }
    }

    // MARK: Messages

    private func handle(_ arrival: Arrival, source: Int) -> Reply {
        sources[source].lastArrival = .now
        let socket = sources[source].reader.settings.name
        switch arrival.content {
        case .image(let image):
            gateway.statistics.countReceived(image, bytes: arrival.bytes, through: socket)
            return admit(image, source: source)
        case .end(let name):
            gateway.statistics.countReceived(source: name, bytes: arrival.bytes, through: socket)
            if let count = gateway.statistics.countEnd(source: name) {
                gateway.logger.log(
                    level: count.isLogged ? .info : .debug, "a sender has ended its stream",
                    metadata: ["source": "\(name)", "count": "\(count)"])
            }
            return .admitted
        case .rejected(let rejection):
            gateway.statistics.countReceived(source: rejection.source, bytes: arrival.bytes, through: socket)
            let count = gateway.statistics.countRejected(source: rejection.source, reason: rejection.reason)
            gateway.logger.log(
                level: count.isLogged ? .notice : .debug, "rejected a message",
                metadata: [
                    "source": "\(rejection.source)", "reason": "\(rejection.reason)", "count": "\(count)",
                    "detail": "\(rejection.detail)",
                ])
            tell(source: rejection.source, id: rejection.id, reason: rejection.reason)
            return .refused(reason: rejection.reason, detail: rejection.detail)
        }
    }

    private func admit(_ image: IncomingImage, source: Int) -> Reply {
        let admission = gateway.queues.offer(image, source: source)
        if admission.isAdmitted { gateway.statistics.countAdmitted(source: image.source) }
        for drop in admission.dropped {
            let (image, reason) = (drop.image, drop.reason.rawValue)
            let count = gateway.statistics.countDropped(source: image.source, reason: drop.reason)
            gateway.logger.log(
                level: count.isLogged ? .warning : .debug, "dropped an image",
                metadata: ["source": "\(image.source)", "reason": "\(reason)", "count": "\(count)"])
            tell(source: image.source, id: image.id, reason: reason)
        }
        guard let drop = admission.dropped.last, !admission.isAdmitted else { return .admitted }
        return .refused(reason: drop.reason.rawValue, detail: "the source's queue has no room for it")
    }

    private func tell(source: String, id: String?, reason: String) {
        gateway.outbox.append(RejectedMessage(source: source, id: id, reason: reason).frames)
    }

    // MARK: The end

    /// Goes on to the end of the input, one source after another as nothing more comes; to be called again and again.
    ///
    /// The sockets stay bound meanwhile: unbinding ends the connections too, with all that is under way on them.
    ///
    /// - Returns: whether all are closed: what senders had already sent has been read, or the time for it is over.
    func drain() -> Bool {
        guard let deadline else {
            gateway.queues.admitWhatIsLeft()
            for index in sources.indices {
                let reader = sources[index].reader
                // A publisher goes on whether or not anybody listens, so there is no end of its messages to wait for.
                if reader.settings.pattern == .sub { reader.close() } else { reader.holdReplies() }
                sources[index].lastArrival = .now
            }
            self.deadline = .now + drainTime
            return false
        }
        let now = ContinuousClock.now
        for index in sources.indices where sources[index].reader.isOpen {
            let reader = sources[index].reader
            if now >= deadline {
                gateway.logger.warning(
                    "senders were still sending; what they had sent and was not read yet is lost",
                    metadata: ["source": "\(reader.settings.name)"])
                reader.close()
            } else if !gateway.queues.mayRead(source: index) {
                // Silence counts only while the source is read.
                sources[index].lastArrival = now
            } else if now - sources[index].lastArrival >= quietTime {
                reader.close()
            }
        }
        return sources.allSatisfy { !$0.reader.isOpen }
    }

    /// Closes every socket.
    func close() {
        for source in sources { source.reader.close() }
        sources = []
    }
}
