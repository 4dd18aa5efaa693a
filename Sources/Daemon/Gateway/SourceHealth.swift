// How a sender is doing: what the control endpoint and the page say of it.

/// What is known of one sender, at one moment.
package struct SourceHealth: Sendable, Equatable {
    /// Whether more is to be expected.
    package enum State: String, Sendable, CaseIterable {
        /// It has sent something, and has not said that it was the last.
        case open
        /// It has said that no more will come, as NetGear's senders do.
        case ended
    }

    /// The name that it gives itself, or that of the configured source.
    package var name: String
    /// The configured source that its last message came through.
    package var socket: String
    /// Whether more is to be expected.
    package var state: State
    /// When its last image was received, nanoseconds since 1970; nil where none was.
    package var lastImage: Int64?
    /// Images a second over the last seconds.
    package var rate: Double
    /// What became of its messages: gaps are `missing`, drops and rejections counted by reason.
    package var counters: StreamCounters
}
