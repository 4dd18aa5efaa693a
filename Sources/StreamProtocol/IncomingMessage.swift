// What came of an arriving message's frames.

/// A message that has been read.
public struct IncomingMessage: Sendable {
    /// What it brings.
    public enum Content: Sendable {
        /// An image.
        case image(IncomingImage)
        /// The word that no more will come from a source; there may be more all the same, from whoever comes next.
        case end(source: String)
        /// Nothing that is understood.
        case rejected(Rejection)
    }

    /// The dialect that it is in, never `auto`; nil where that cannot be told.
    public var dialect: Dialect?
    /// What it brings.
    public var content: Content

    /// Creates a message.
    public init(dialect: Dialect?, content: Content) {
        self.dialect = dialect
        self.content = content
    }
}
