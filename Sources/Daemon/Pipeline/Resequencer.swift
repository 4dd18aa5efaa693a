// Puts back in order what several threads worked on at once.
//
// Tickets are given in the order of taking; results are delivered in the order of tickets, one at a time. So images of one
// queue reach training in the order of their arrival however many threads decode, and a run stays reproducible bit for
// bit. Results that come early are kept, at most `window` of them; who is further ahead waits.

/// An ordered gate for results of parallel work.
package final class Resequencer<Element: Sendable>: Sendable {
    private struct State: Sendable {
        var nextTicket: UInt64 = 0
        var nextDelivery: UInt64 = 0
        var early: [UInt64: Element] = [:]
        var isDelivering = false
    }

    private let state = Monitor(State())
    private let window: UInt64
    private let deliver: @Sendable (Element) -> Void

    /// Creates a gate that calls `deliver` in the order of tickets, never from two threads at once; `deliver` may block.
    package init(window: Int, deliver: @escaping @Sendable (Element) -> Void) {
        precondition(window > 0)
        self.window = UInt64(window)
        self.deliver = deliver
    }

    /// The next ticket; `complete` must follow for each.
    package func ticket() -> UInt64 {
        state.withLock { state in
            defer { state.nextTicket += 1 }
            return state.nextTicket
        }
    }

    /// Hands in the result of `ticket`, and delivers what is due unless another thread is at it.
    package func complete(_ ticket: UInt64, _ element: Element) {
        let isDeliverer: Bool = state.wait { state in
            guard ticket - state.nextDelivery < window else { return .wait(until: nil) }
            state.early[ticket] = element
            guard !state.isDelivering && ticket == state.nextDelivery else { return .done(false) }
            state.isDelivering = true
            return .done(true)
        }
        guard isDeliverer else { return }
        while let due = takeDue() { deliver(due) }
    }

    private func takeDue() -> Element? {
        state.withLock { state in
            guard let element = state.early.removeValue(forKey: state.nextDelivery) else {
                state.isDelivering = false
                return nil
            }
            state.nextDelivery += 1
            return element
        }
    }
}
