// Finds what a subscriber has missed: assignments are numbered without holes within an epoch, and heartbeats name the last.

/// Follows the numbers of the assignments that arrive.
package struct NumberingTracker {
    /// What a number tells.
    package enum Finding: Equatable {
        /// Numbers that have been left out.
        case missing(ClosedRange<UInt64>)
        /// The daemon numbers anew, from 1.
        case newEpoch(String)
    }

    private var epoch: String?
    private var last: UInt64 = 0

    /// Creates a tracker that has seen nothing.
    package init() {}

    /// Takes an assignment's number.
    package mutating func assignment(epoch: String, sequence: UInt64) -> [Finding] {
        // Joining late is no gap: counting begins with the first number seen.
        if self.epoch == nil {
            self.epoch = epoch
            last = sequence
            return []
        }
        return enter(epoch) + advance(to: sequence, isDelivered: true)
    }

    /// Takes the last number given, as a heartbeat names it.
    package mutating func heartbeat(epoch: String, last sequence: UInt64) -> [Finding] {
        if self.epoch == nil {
            self.epoch = epoch
            last = sequence
            return []
        }
        return enter(epoch) + advance(to: sequence, isDelivered: false)
    }

    private mutating func enter(_ epoch: String) -> [Finding] {
        guard epoch != self.epoch else { return [] }
        self.epoch = epoch
        last = 0
        return [.newEpoch(epoch)]
    }

    /// `isDelivered` is whether the number's own assignment is here. A number that has come before is no gap.
    private mutating func advance(to sequence: UInt64, isDelivered: Bool) -> [Finding] {
        guard sequence > last else { return [] }
        defer { last = sequence }
        let lastMissing = isDelivered ? sequence - 1 : sequence
        return lastMissing > last ? [.missing(last + 1...lastMissing)] : []
    }
}

extension ClosedRange<UInt64> {
    /// How many numbers there are; `count` would be an Int, which some ranges exceed. The range begins after 0.
    var length: UInt64 { upperBound - lowerBound + 1 }
}
