// The control operation `replay`, as both sides of it see it: assignments by number.

/// Asks for assignments that have been published.
package struct ReplayRequest: Sendable, Equatable {
    /// How many assignments an answer has at most, and how many where the request does not say.
    package static let (maximumLimit, defaultLimit) = (10_000, 1000)

    /// The epoch of the numbers; nil is the one that numbers are given in now.
    package var epoch: String?
    /// The first number wanted, from 1.
    package var from: UInt64
    /// How many assignments are wanted at most.
    package var limit: Int

    /// Creates a request.
    package init(epoch: String?, from: UInt64, limit: Int = defaultLimit) {
        self.epoch = epoch
        self.from = from
        self.limit = limit
    }

    /// Reads a request.
    ///
    /// - Throws: `ControlFailure` with the code `invalid-argument`.
    package init(_ request: ControlRequest) throws(ControlFailure) {
        func positive(_ json: JSON) -> UInt64? { json.integer().flatMap { $0 > 0 ? $0 : nil } }
        epoch = try request.optional("epoch", "a string", \.text)
        from = try request.required("from", "an integer of at least 1", positive)
        let limit = try request.optional("limit", "an integer of at least 1", positive)
        self.limit = limit.map { Int(min($0, UInt64(Self.maximumLimit))) } ?? Self.defaultLimit
    }

    /// The request.
    package var request: ControlRequest {
        var arguments = ["from": JSON(from), "limit": JSON(limit)]
        if let epoch { arguments["epoch"] = .string(epoch) }
        return ControlRequest("replay", arguments)
    }
}

/// Assignments without a hole between them, and what is gone before them.
package struct ReplayReply: Sendable, Equatable {
    /// The epoch of the numbers.
    package var epoch: String
    /// The number of the first assignment.
    package var first: UInt64
    /// The number to ask for next: one more than the last assignment's, or `first` where there is none.
    package var next: UInt64
    /// The last number given in the epoch.
    package var last: UInt64
    /// The numbers asked for that are gone for good.
    package var gap: ClosedRange<UInt64>?
    /// The assignments' JSON, as it was published.
    package var assignments: [[UInt8]]

    /// Creates an answer.
    package init(
        epoch: String, first: UInt64, next: UInt64, last: UInt64, gap: ClosedRange<UInt64>?, assignments: [[UInt8]]
    ) {
        self.epoch = epoch
        self.first = first
        self.next = next
        self.last = last
        self.gap = gap
        self.assignments = assignments
    }

    /// Reads an answer.
    ///
    /// - Throws: `ControlFailure` with the code `malformed`.
    package init(_ reply: ControlReply) throws(ControlFailure) {
        let members = reply.members
        do throws(JSONKeyError) {
            epoch = try members.required("epoch", "a string", \.text)
            first = try members.required("first", "an unsigned integer") { $0.integer() }
            next = try members.required("next", "an unsigned integer") { $0.integer() }
            // No daemon gets to UInt64.max, which would have no successor.
            last = try members.required("last", "a number below 2^64 - 1") { json in
                json.integer().flatMap { $0 < UInt64.max ? $0 : nil }
            }
            gap = try members.optional("gap", "a pair of ascending numbers") { json in
                guard let bounds = json.elements?.map({ $0.integer(as: UInt64.self) }), bounds.count == 2,
                    let from = bounds[0], let to = bounds[1], 1 <= from, from <= to, to < .max
                else { return nil }
                return from...to
            }
        } catch {
            throw ControlFailure(.malformed, "the reply's \(error)")
        }
        assignments = reply.attachments
        guard next >= first, next - first == UInt64(assignments.count) else {
            throw ControlFailure(
                .malformed, "the reply has \(assignments.count) assignments from \(first) to \(next)")
        }
    }

    /// The answer.
    package var reply: ControlReply {
        let gap = gap.map { JSON.array([JSON($0.lowerBound), JSON($0.upperBound)]) }
        return ControlReply(
            [
                "epoch": .string(epoch), "first": JSON(first), "next": JSON(next), "last": JSON(last),
                "gap": gap ?? .null,
            ], attachments: assignments)
    }
}
