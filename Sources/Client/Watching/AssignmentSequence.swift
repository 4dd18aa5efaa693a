// Makes one sequence without holes of what a daemon publishes and what it replays: the consumer's half of the promise that
// assignments are delivered at least once. Twice the same (epoch, seq) comes out once, in order, and what cannot be had any
// more comes out as an explicit gap.
//
// It knows no socket: what arrives is put in, what is missing is asked for by whoever holds this. Numbers have a successor:
// a message with one that has none is malformed.

import StreamProtocol

/// Puts assignments in the order of their numbers, and knows which are missing.
package struct AssignmentSequence {
    /// An assignment with its own JSON.
    package struct Delivery: Sendable, Equatable {
        /// The message.
        package var message: AssignmentMessage
        /// The message's JSON.
        package var json: [UInt8]

        /// Puts both together.
        package init(message: AssignmentMessage, json: [UInt8]) {
            self.message = message
            self.json = json
        }
    }

    /// What comes out.
    package enum Output: Sendable, Equatable {
        /// The next assignment.
        case assignment(Delivery)
        /// The next numbers, whose assignments are gone.
        case missing(ClosedRange<UInt64>)
        /// What followed this number in the epoch, if anything did, cannot be had.
        case unknownEnd(epoch: String, after: UInt64)
        /// The next number is 1, of another epoch.
        case newEpoch(String)
    }

    private struct Epoch {
        let name: String
        /// The number to come out next.
        var next: UInt64
        /// The last number that is known to have been given.
        var known: UInt64 = 0
        /// The last number that there is; known of an epoch that has ended once a replay has said it.
        var end: UInt64?
        /// What arrived ahead of `next`.
        var early: [UInt64: Delivery] = [:]
    }

    /// How many assignments are kept that are ahead of a missing one; those beyond are asked for later.
    private static let maximumEarly = 100_000

    /// The epoch that is coming out, and those that have begun since.
    private var epochs: [Epoch] = []
    /// The first number wanted; nil begins with the first that is heard of.
    private let start: UInt64?

    /// Creates a sequence.
    ///
    /// - Parameters:
    ///   - epoch: the epoch of `start`; nil is the first that is heard of.
    ///   - start: the first number wanted; nil is the next to be given.
    package init(epoch: String? = nil, start: UInt64? = nil) {
        // Numbers begin with 1.
        self.start = start.map { max(1, $0) }
        if let epoch { epochs = [Epoch(name: epoch, next: self.start ?? 1)] }
    }

    /// The numbers to ask for: those of this epoch from this one on. Nil where nothing is missing.
    package var missing: (epoch: String, from: UInt64)? {
        guard let epoch = epochs.first, epoch.known >= epoch.next || epochs.count > 1 else { return nil }
        return (epoch.name, epoch.next)
    }

    /// Takes an assignment as it was published.
    package mutating func published(_ delivery: Delivery) -> [Output] {
        let (name, sequence) = (delivery.message.epoch, delivery.message.sequence)
        let index = index(of: name, first: sequence)
        epochs[index].known = max(epochs[index].known, sequence)
        take(delivery, in: index)
        return advance()
    }

    /// Takes the last number given, as a heartbeat names it.
    package mutating func heartbeat(epoch name: String, last sequence: UInt64) -> [Output] {
        let index = index(of: name, first: sequence + 1)
        epochs[index].known = max(epochs[index].known, sequence)
        return advance()
    }

    /// Takes what was asked for.
    ///
    /// - Parameters:
    ///   - gap: the numbers that are gone.
    ///   - last: the last number given in the epoch.
    package mutating func replayed(
        epoch name: String, gap: ClosedRange<UInt64>?, last: UInt64, _ deliveries: [Delivery]
    ) -> [Output] {
        guard let epoch = epochs.first, epoch.name == name else { return [] }
        if epochs.count > 1 { epochs[0].end = last }
        var outputs: [Output] = []
        if let gap, gap.lowerBound <= epoch.next { outputs += skip(through: gap.upperBound) }
        for delivery in deliveries where delivery.message.epoch == name { take(delivery, in: 0) }
        return outputs + advance()
    }

    /// Goes on without what is missing: nobody can say what has become of it.
    package mutating func giveUp() -> [Output] {
        guard let epoch = epochs.first else { return [] }
        guard epochs.count > 1 else {
            // Up to what has arrived, or up to what is known of.
            return skip(through: epoch.early.keys.min().map { $0 - 1 } ?? epoch.known) + advance()
        }
        var outputs = skip(through: epoch.known)
        if epochs[0].end == nil { outputs.append(.unknownEnd(epoch: epoch.name, after: epochs[0].next - 1)) }
        epochs[0].end = 0
        return outputs + advance()
    }

    // MARK: Steps

    private mutating func index(of name: String, first: UInt64) -> Int {
        if let index = epochs.firstIndex(where: { $0.name == name }) { return index }
        epochs.append(Epoch(name: name, next: epochs.isEmpty ? start ?? first : 1))
        return epochs.count - 1
    }

    private mutating func take(_ delivery: Delivery, in index: Int) {
        let sequence = delivery.message.sequence
        guard sequence >= epochs[index].next else { return }
        // The next one always: everything waits for it.
        guard sequence == epochs[index].next || epochs[index].early.count < Self.maximumEarly else { return }
        epochs[index].early[sequence] = delivery
    }

    /// Lets out what is next, as far as it is there.
    private mutating func advance() -> [Output] {
        var outputs: [Output] = []
        while !epochs.isEmpty {
            while let delivery = epochs[0].early.removeValue(forKey: epochs[0].next) {
                outputs.append(.assignment(delivery))
                epochs[0].next += 1
            }
            guard epochs.count > 1, let end = epochs[0].end, epochs[0].next > end else { break }
            epochs.removeFirst()
            outputs.append(.newEpoch(epochs[0].name))
        }
        return outputs
    }

    /// Lets out all up to `last`, what is not there as missing.
    private mutating func skip(through last: UInt64) -> [Output] {
        var outputs: [Output] = []
        func miss(_ range: Range<UInt64>) {
            if !range.isEmpty { outputs.append(.missing(range.lowerBound...range.upperBound - 1)) }
        }
        for number in epochs[0].early.keys.filter({ $0 <= last }).sorted() {
            miss(epochs[0].next..<number)
            outputs.append(.assignment(epochs[0].early.removeValue(forKey: number)!))
            epochs[0].next = number + 1
        }
        guard epochs[0].next <= last else { return outputs }
        miss(epochs[0].next..<last + 1)
        epochs[0].next = last + 1
        return outputs
    }
}

extension ClosedRange<UInt64> {
    /// How many numbers there are; `count` would be an Int, which some ranges exceed. The range begins after 0.
    var length: UInt64 { upperBound - lowerBound + 1 }
}
