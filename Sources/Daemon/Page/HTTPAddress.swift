// Where the page is served, as the configuration says it.

/// A host and a port to listen at.
struct HTTPAddress: Equatable, Sendable {
    /// What `http.listen` says where there is to be no page.
    static let off = "off"

    /// An IPv4 address, a name, or `*`.
    let host: String
    /// 0 is one that the system picks.
    let port: Int
    /// Whether only this machine can reach it.
    let isLocal: Bool

    /// Reads a setting that has been checked; nil where it switches the page off.
    init?(_ text: String) {
        guard text != Self.off, let address = try? EndpointAddress(hostAndPort: text, listens: true),
            case .tcp(let host, let port) = address.place
        else { return nil }
        self.host = host
        self.port = port ?? 0
        isLocal = address.isLocal
    }
}
