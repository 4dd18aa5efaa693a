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
    let distances = candidates.map { ($0, editDistance(name, $0.lowercased().replacing("-", with: "_"))) }
    guard let (candidate, distance) = distances.min(by: { $0.1 < $1.1 }) else { return nil }
    return distance <= max(1, min(name.count, candidate.count) / 3) ? candidate : nil
}
