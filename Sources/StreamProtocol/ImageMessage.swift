// An image on its way to a daemon, in clusterd's dialect: what MessageParser reads, written.

/// An image to be sent as three frames: `[source name] [header] [payload]`.
public struct ImageMessage: Sendable, Equatable {
    /// The source's name, to match `[A-Za-z0-9_.-]{1,64}`; where it is empty the daemon gives its socket's name.
    public var source: String
    /// The sender's own name for the image.
    public var id: String?
    /// Counts up by one per source, so that gaps are seen.
    public var sequence: UInt64?
    /// When the image was taken, nanoseconds since 1970.
    public var taken: Int64?
    /// Ground truth; reported on, never trained on.
    public var label: Label?
    /// How `payload` stands for pixels.
    public var encoding: PayloadEncoding
    /// The picture's bytes.
    public var payload: [UInt8]

    /// Creates a message; what is left out is not in the header.
    public init(
        source: String, id: String? = nil, sequence: UInt64? = nil, taken: Int64? = nil, label: Label? = nil,
        encoding: PayloadEncoding = .file(format: nil), payload: [UInt8]
    ) {
        self.source = source
        self.id = id
        self.sequence = sequence
        self.taken = taken
        self.label = label
        self.encoding = encoding
        self.payload = payload
    }

    /// The message's frames.
    public var frames: [[UInt8]] { [Array(source.utf8), header, payload] }

    private var header: [UInt8] {
        JSONWriter.object { header in
            header.member("v", MessageParser.version)
            if let id { header.member("id", id) }
            if let sequence { header.member("seq", sequence) }
            if let taken { header.member("t", taken) }
            if let label { header.member("label", label) }
            switch encoding {
            case .file(let format):
                if let format { header.member("format", format) }
            case .raw(let height, let width, let channels, let color):
                header.member("format", "raw")
                header.member("shape", [height, width, channels])
                header.member("dtype", "uint8")
                header.member("color", color.rawValue)
            }
        }
    }
}
