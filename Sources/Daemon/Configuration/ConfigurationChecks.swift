// What can only be judged when all settings are known: endpoints, what they have to do with each other, and their keys.

import ZeroMQ

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
        /// Whether the endpoint of a section is encrypted; keys that cannot be used are reported.
        func isEncrypted(_ section: String, _ curve: CurveSettings, listens: Bool) -> Bool {
            if let mistake = curve.mistake(listens: listens) {
                report("\(section).\(mistake.key)", mistake.message)
                return true
            }
            do throws(KeyFileError) {
                return try curve.load() != nil
            } catch {
                let keys = [
                    ("curve_server_key", curve.serverKey), ("curve_secret_key", curve.secretKey),
                    ("curve_clients", curve.clients),
                ]
                let key = keys.first { !$0.1.isEmpty && error.path.hasPrefix($0.1) }?.0 ?? "curve_secret_key"
                report("\(section).\(key)", error.description)
                return true
            }
        }
        func check(
            _ key: String, _ text: String, listens: Bool, isEndpoint: Bool = true, isEncrypted: Bool = false
        ) {
            guard !known.contains(where: { $0.key == key }) else { return }
            do throws(EndpointAddress.Malformed) {
                let address =
                    isEndpoint
                    ? try EndpointAddress(text, listens: listens)
                    : try EndpointAddress(hostAndPort: text, listens: listens)
                if !address.isLocal, !isEncrypted, !configuration.allowPlaintext {
                    let remedy = isEndpoint ? "give it curve_\(listens ? "secret" : "server")_key, or " : ""
                    report(
                        key,
                        "\(text) reaches beyond this machine without encryption; \(remedy)set allow_plaintext: true if "
                            + "that is meant")
                }
                sockets.append(Socket(key: key, text: text, listens: listens, address: address))
            } catch {
                report(key, error.message)
            }
        }

        for source in configuration.sources where !source.endpoint.isEmpty {
            let (section, listens) = ("sources.\(source.name)", source.role == .bind)
            check(
                "\(section).endpoint", source.endpoint, listens: listens,
                isEncrypted: isEncrypted(section, source.curve, listens: listens))
        }
        if configuration.mode == .replica {
            let isEncrypted = isEncrypted("replica", configuration.replica.curve, listens: false)
            for (key, endpoint) in configuration.replica.endpoints {
                if endpoint.isEmpty {
                    report(key, "is needed with mode: replica: where the daemon is that trains")
                } else {
                    check(key, endpoint, listens: false, isEncrypted: isEncrypted)
                }
            }
        } else if let (key, _) = configuration.replica.endpoints.first(where: { !$0.endpoint.isEmpty }) {
            report(key, "is only for mode: replica, and mode is \(configuration.mode.rawValue)")
        }
        let (publish, control) = (configuration.publish, configuration.controlEndpoint)
        check(
            "publish.endpoint", publish.endpoint, listens: true,
            isEncrypted: isEncrypted("publish", publish.curve, listens: true))
        check(
            "control.endpoint", control, listens: true,
            isEncrypted: isEncrypted("control", configuration.controlCurve, listens: true))
        if configuration.httpListen != HTTPAddress.off {
            check("http.listen", configuration.httpListen, listens: true, isEndpoint: false)
            if let address = HTTPAddress(configuration.httpListen), !address.isLocal,
                configuration.httpTokenFile.isEmpty
            {
                report(
                    "http.listen",
                    "\(configuration.httpListen) reaches beyond this machine, and whoever reads the page can act; set "
                        + "http.token_file")
            }
        }
        if !configuration.httpTokenFile.isEmpty {
            do throws(TokenFileError) {
                _ = try TokenFile.read(configuration.httpTokenFile)
            } catch {
                report("http.token_file", error.description)
            }
        }

        for (index, socket) in sockets.enumerated() {
            // Two that bind exclude each other; a second that connects would receive every image again.
            if let other = sockets[..<index].first(where: {
                $0.address.collides(with: socket.address, bothListen: $0.listens && socket.listens)
            }) {
                report(socket.key, "\(socket.text) is \(other.key)'s endpoint already")
            }
        }
        if configuration.sources.isEmpty, !known.contains(where: { $0.key.hasPrefix("sources") }) {
            report("sources", "there is no source, so no image can ever arrive")
        }
        return mistakes
    }
}
