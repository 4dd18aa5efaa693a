// The order in which people number files: `img2` before `img10`. On bytes, so the same on every machine and locale.

/// Whether `a` comes before `b`: runs of digits compare as numbers, all else byte by byte.
///
/// A total order: names that differ only in leading zeros compare by their bytes.
func naturallyPrecedes(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    var i = 0
    var j = 0
    while i < a.count, j < b.count {
        if isDigit(a[i]), isDigit(b[j]) {
            let x = digits(of: a, from: &i)
            let y = digits(of: b, from: &j)
            if x.count != y.count { return x.count < y.count }
            if !x.elementsEqual(y) { return x.lexicographicallyPrecedes(y) }
        } else {
            if a[i] != b[j] { return a[i] < b[j] }
            i += 1
            j += 1
        }
    }
    let rest = (a.count - i, b.count - j)
    return rest.0 == rest.1 ? a.lexicographicallyPrecedes(b) : rest.0 < rest.1
}

private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

/// The run of digits that begins at `index`, without leading zeros; `index` moves behind it.
private func digits(of name: [UInt8], from index: inout Int) -> ArraySlice<UInt8> {
    let start = index
    while index < name.count, isDigit(name[index]) { index += 1 }
    return name[start..<index].drop { $0 == UInt8(ascii: "0") }
}
