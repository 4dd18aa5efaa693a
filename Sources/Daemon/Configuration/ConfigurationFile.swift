// A YAML file as a flat list of what it sets, each with its line; which keys there are is not known here.

import Yams

/// What a configuration file says.
struct ConfigurationFile {
    /// A key with its value.
    struct Entry {
        /// The key with its sections, such as `train.batch_size`.
        var key: String
        var value: WrittenValue
        var origin: SettingOrigin
    }

    /// An item of the list of sources.
    struct Source {
        var origin: SettingOrigin
        /// Its keys, such as `endpoint`.
        var entries: [Entry]
    }

    /// What is set apart from sources; a section of unknown keys is flattened like any other.
    private(set) var entries: [Entry] = []
    /// The sources, nil where the file does not have the key.
    private(set) var sources: [Source]?
    /// The line of the key `sources`.
    private(set) var sourcesOrigin = SettingOrigin.standard
    /// What is wrong with the file whatever keys there are.
    private(set) var mistakes: [ConfigurationMistake] = []
    private let name: String

    /// Begins the keys that come again later in the same section: Yams gives up on those, so all but the last are marked
    /// and the file is read again. From Unicode's private use area, so no key begins so by chance.
    private static let repeatedKey: Character = "\u{E0CC}"

    /// Reads `text`, the content of the file called `name`.
    init(name: String, text: String) {
        self.name = name
        do {
            guard let root = try compose(text) else { return }
            if isNothing(root) { return }
            guard case .mapping(let mapping) = root else {
                report(root.mark, "", "the file is \(written(root).description) where sections of keys are expected")
                return
            }
            for pair in pairs(mapping, under: "") { read(pair) }
        } catch {
            mistakes.append(error)
        }
    }

    // MARK: YAML

    /// As many keys that come again are told; each has the file read anew.
    private static let mostRepeatedKeys = 16
    /// Aliases of aliases grow by themselves, and Yams compares keys by all that is in them.
    private static let mostAliases = 8

    private func compose(_ text: String) throws(ConfigurationMistake) -> Node? {
        guard Self.aliases(in: text) <= Self.mostAliases else {
            throw mistake(nil, "", "there are more than \(Self.mostAliases) aliases (*name)")
        }
        var text = text
        var repeatedKeys = 0
        while true {
            do {
                // Tags are resolved here, by what each key expects.
                return try Yams.compose(yaml: text, .basic)
            } catch YamlError.duplicatedKeysInMapping(_, let context) {
                repeatedKeys += 1
                guard repeatedKeys <= Self.mostRepeatedKeys,
                    let marked = Self.markingKey(at: context.mark, in: text)
                else {
                    throw mistake(context.mark, "", "a key is given twice")
                }
                text = marked
            } catch {
                throw syntaxMistake(error)
            }
        }
    }

    /// How many places look like an alias, `*name`, quoted or not.
    private static func aliases(in text: String) -> Int {
        let bytes = Array(" \(text) ".utf8)
        return bytes.indices.dropFirst().dropLast().count { index in
            bytes[index] == UInt8(ascii: "*") && " \n\r\t[{,:-?".utf8.contains(bytes[index - 1])
                && Character(Unicode.Scalar(bytes[index + 1])).isWordLike
        }
    }

    private static func markingKey(at mark: Mark, in text: String) -> String? {
        let scalars = text.unicodeScalars
        var line = 1
        var index = scalars.startIndex
        while line < mark.line {
            guard let newline = scalars[index...].firstIndex(of: "\n") else { return nil }
            index = scalars.index(after: newline)
            line += 1
        }
        guard var key = scalars.index(index, offsetBy: mark.column - 1, limitedBy: scalars.endIndex),
            key < scalars.endIndex
        else { return nil }
        if scalars[key] == "\"" || scalars[key] == "'" { key = scalars.index(after: key) }
        var marked = text
        marked.insert(repeatedKey, at: key)
        return marked
    }

    private func syntaxMistake(_ error: any Error) -> ConfigurationMistake {
        switch error as? YamlError {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let place = context.map { " (\($0.text), line \($0.mark.line))" } ?? ""
            return mistake(mark, "", "this is not YAML: \(problem)\(place)")
        case .reader(let problem, _, _, _):
            return mistake(nil, "", "this is not YAML: \(problem)")
        default:
            return mistake(nil, "", "this is not YAML: \(error)")
        }
    }

    // MARK: Keys

    private mutating func read(_ pair: Pair) {
        if pair.key == "sources" {
            readSources(pair)
        } else if case .mapping(let mapping) = pair.node, !mapping.isEmpty {
            for inner in pairs(mapping, under: pair.key + ".") {
                entries.append(Entry(key: "\(pair.key).\(inner.key)", value: written(inner.node), origin: inner.origin))
            }
        } else {
            entries.append(Entry(key: pair.key, value: written(pair.node), origin: pair.origin))
        }
    }

    private mutating func readSources(_ pair: Pair) {
        sourcesOrigin = pair.origin
        guard case .sequence(let list) = pair.node else {
            report(pair.node.mark, "sources", "\(written(pair.node).description) where a list of sources is expected")
            return
        }
        var found: [Source] = []
        defer { sources = found }
        for (index, item) in list.enumerated() {
            guard case .mapping(let mapping) = item else {
                report(
                    item.mark, "sources[\(index)]", "\(written(item).description) where a source's keys are expected")
                continue
            }
            let entries = pairs(mapping, under: "sources[\(index)].").map {
                Entry(key: $0.key, value: written($0.node), origin: $0.origin)
            }
            found.append(Source(origin: origin(item.mark), entries: entries))
        }
    }

    private typealias Pair = (key: String, origin: SettingOrigin, node: Node)

    /// The keys of a mapping with their values, without those that are no text or come again.
    private mutating func pairs(_ mapping: Node.Mapping, under prefix: String) -> [Pair] {
        var result: [Pair] = []
        for (key, value) in mapping {
            guard case .scalar(let scalar) = key else {
                report(key.mark, "", "a key is \(written(key).description) where a name is expected")
                continue
            }
            if scalar.string.first == Self.repeatedKey {
                let name = String(scalar.string.drop { $0 == Self.repeatedKey })
                let last = mapping.first { $0.key.scalar?.string == name }?.key.mark?.line
                report(key.mark, prefix + name, "the key is given again in line \(last ?? 0)")
                continue
            }
            result.append((scalar.string, origin(key.mark), value))
        }
        return result
    }

    private func written(_ node: Node) -> WrittenValue {
        switch node {
        case .scalar(let scalar):
            isNothing(node) ? .nothing : .scalar(scalar.string, isQuoted: scalar.style != .plain)
        case .mapping: .section
        case .sequence: .list
        case .alias: .nothing
        }
    }

    /// YAML's core schema, section 10.2.1.1: these stand for null where they are not quoted.
    private func isNothing(_ node: Node) -> Bool {
        guard case .scalar(let scalar) = node, scalar.style == .plain else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }

    private func origin(_ mark: Mark?) -> SettingOrigin { .file(name, line: mark?.line ?? 1) }

    private func mistake(_ mark: Mark?, _ key: String, _ message: String) -> ConfigurationMistake {
        ConfigurationMistake(origin: origin(mark), key: key, message: message)
    }

    private mutating func report(_ mark: Mark?, _ key: String, _ message: String) {
        mistakes.append(mistake(mark, key, message))
    }
}

extension Character {
    /// What YAML's names of anchors are made of.
    fileprivate var isWordLike: Bool { isASCII && (isLetter || isNumber) || self == "_" || self == "-" }
}
