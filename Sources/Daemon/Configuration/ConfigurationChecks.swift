// What can only be judged when all settings are known: endpoints and what they have to do with each other.

/// The checks across settings.
enum ConfigurationChecks {
    /// A place where the daemon has or will have a socket.
    private struct Socket {
        let key: String
        let text: String
        let listens: Bool
        let address: EndpointAddress
    }

    /// What is wrong with `loaded` as a whole; keys that are wrong by themselves, as `known` says, are passed over.
    static func mistakes(
        in loaded: LoadedConfiguration, besides known: [ConfigurationMistake]
    ) -> [ConfigurationMistake] {
        let configuration = loaded.configuration
        var mistakes: [ConfigurationMistake] = []
        var sockets: [Socket] = []

        func report(_ key: String, _ message: String) {
            mistakes.append(ConfigurationMistake(origin: loaded.origin(of: key), key: key, message: message))
        }
        func check(_ key: String, _ text: String, listens: Bool, isEndpoint: Bool = true) {
            guard !known.contains(where: { $0.key == key }) else { return }
            do throws(EndpointAddress.Malformed) {
                let address =
                    isEndpoint
                    ? try EndpointAddress(text, listens: listens)
                    : try EndpointAddress(hostAndPort: text, listens: listens)
                if !address.isLocal, !configuration.allowPlaintext {
                    report(
                        key,
                        "\(text) reaches beyond this machine without encryption; set allow_plaintext: true if that is "
                            + "meant")
                }
                sockets.append(Socket(key: key, text: text, listens: listens, address: address))
            } catch {
                report(key, error.message)
            }
        }

        for source in configuration.sources where !source.endpoint.isEmpty {
            check("sources.\(source.name).endpoint", source.endpoint, listens: source.role == .bind)
        }
        check("publish.endpoint", configuration.publish.endpoint, listens: true)
        check("control.endpoint", configuration.controlEndpoint, listens: true)
        check("http.listen", configuration.httpListen, listens: true, isEndpoint: false)

        for (index, socket) in sockets.enumerated() {
            // Two that bind exclude each other; a second that connects would receive every image again.
            if let other = sockets[..<index].first(where: { $0.address.collides(with: socket.address) }) {
                report(socket.key, "\(socket.text) is \(other.key)'s endpoint already")
            }
        }
        if configuration.sources.isEmpty, !known.contains(where: { $0.key.hasPrefix("sources") }) {
            report("sources", "there is no source, so no image can ever arrive")
        }
        return mistakes
    }
}
