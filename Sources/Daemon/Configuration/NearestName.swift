// What somebody who mistyped a name most likely meant.

/// The Levenshtein distance with exchanged neighbours counted once (optimal string alignment).
func editDistance(_ a: String, _ b: String) -> Int {
    let a = Array(a.unicodeScalars), b = Array(b.unicodeScalars)
    guard !a.isEmpty, !b.isEmpty else { return max(a.count, b.count) }
    // Rows i - 2, i - 1 and i of the usual table.
    var before: [Int] = []
    var previous = Array(0...b.count)
    for i in 1...a.count {
        var row = [i]
        for j in 1...b.count {
            var cost = min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
            if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { cost = min(cost, before[j - 2] + 1) }
            row.append(cost)
        }
        (before, previous) = (previous, row)
    }
    return previous[b.count]
}

/// The one of `candidates` nearest to `name`, nil where none is so near that it is likely meant.
func nearestName(to name: String, in candidates: [String]) -> String? {
    // A name longer than any that is meant, however hostile, costs nothing.
    let name = String(name.prefix(64)).lowercased().replacing("-", with: "_")
    let longer = candidates.filter { $0.lowercased().hasPrefix(name) }
    if name.count >= 3, longer.count == 1 { return longer[0] }
    let distances = candidates.map { ($0, editDistance(name, $0.lowercased().replacing("-", with: "_"))) }
    guard let (candidate, distance) = distances.min(by: { $0.1 < $1.1 }) else { return nil }
    return distance <= max(1, min(name.count, candidate.count) / 3) ? candidate : nil
}

/// The one of `keys`, each `name` or `section.name`, or the section of them, that `path` most likely means.
func nearestKey(to path: String, in keys: [String]) -> String? {
    let sections = Set(keys.filter { $0.contains(".") }.map { String($0.prefix { $0 != "." }) }).sorted()
    let parts = path.split(separator: ".", maxSplits: 1).map(String.init)
    let name = parts.last ?? path
    // The right key in the wrong section is as likely as a slip of the finger.
    let elsewhere = keys.first { $0 == name || $0.hasSuffix("." + name) }
    guard parts.count == 2 else { return elsewhere ?? nearestName(to: path, in: keys + sections) }

    guard let section = nearestName(to: parts[0], in: sections) else {
        return elsewhere ?? nearestName(to: path, in: keys)
    }
    let siblings = keys.filter { $0.hasPrefix(section + ".") }.map { String($0.dropFirst(section.count + 1)) }
    if let sibling = nearestName(to: name, in: siblings) { return "\(section).\(sibling)" }
    return elsewhere ?? siblings.min { editDistance($0, name) < editDistance($1, name) }.map { "\(section).\($0)" }
}
