// What the page shows and what its buttons do, as it asks for them: the seam between the page and the daemon.

import StreamProtocol

/// Something that is sent to every open page.
package struct PageEvent: Sendable {
    /// The event's name, such as `status`.
    package var name: String
    /// What it says.
    package var data: JSON

    /// Creates an event.
    package init(_ name: String, _ data: JSON) {
        self.name = name
        self.data = data
    }

    /// The event as a stream of server-sent events has it; JSON has no line ends, so one line of data holds it.
    var bytes: [UInt8] {
        var writer = JSONWriter()
        data.write(to: &writer)
        return Array("event: \(name)\ndata: ".utf8) + writer.bytes + [0x0A, 0x0A]
    }
}

/// What the page can be asked for apart from events.
package enum PageDocument: String, Sendable, CaseIterable {
    /// The recent embeddings in two dimensions.
    case map
    /// How clusters and labels go together.
    case labels
}

/// The daemon, as the page sees it; called on the server's thread, and nothing may take longer than some milliseconds.
package protocol PageSource: Sendable {
    /// Called once a second whether or not anyone looks; what it returns is sent to every reader.
    ///
    /// - Parameter readers: how many pages are open; nothing need be returned for none.
    func tick(readers: Int) -> [PageEvent]

    /// What a reader that has just come is sent first.
    func welcome() -> [PageEvent]

    /// A picture as a JPEG file; nil where it is not kept any more.
    func picture(_ id: UInt64) -> [UInt8]?

    /// A document as it is now.
    func document(_ document: PageDocument) -> JSON

    /// Does an operation of the control endpoint, and gives `reply` its answer's frames; on any thread, once.
    func perform(_ request: ControlRequest, reply: @escaping @Sendable ([[UInt8]]) -> Void)

    /// What is wrong so that the process should be started anew; nil where nothing is.
    var illness: String? { get }

    /// Whether images are taken and answered.
    var isReady: Bool { get }
}
