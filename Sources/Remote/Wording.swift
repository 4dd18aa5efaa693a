// Numbers, times and foreign names as people read them.

import Glibc

/// A count with its thousands set apart: `70,000`.
package func grouped(_ number: some BinaryInteger) -> String {
    let digits = Array(String(number.magnitude))
    var text = ""
    for (index, digit) in digits.enumerated() {
        if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
        text.append(digit)
    }
    return (number < 0 ? "-" : "") + text
}

/// A number with so many decimals: `12.3`.
package func decimal(_ value: Double, places: Int) -> String {
    guard value.isFinite else { return "-" }
    let scale = (0..<places).reduce(1.0) { scale, _ in scale * 10 }
    let scaled = (abs(value) * scale).rounded()
    guard scaled < 9e18 else { return "\(value)" }
    let whole = grouped(Int64(scaled) / Int64(scale))
    let sign = value < 0 && scaled > 0 ? "-" : ""
    guard places > 0 else { return sign + whole }
    let fraction = String(Int64(scaled) % Int64(scale))
    return "\(sign)\(whole).\(String(repeating: "0", count: places - fraction.count))\(fraction)"
}

/// A rate or another quantity, with a decimal only where it tells something.
package func quantity(_ value: Double) -> String { decimal(value, places: abs(value) < 100 ? 1 : 0) }

/// A number of bytes: `54.9 MB`.
package func byteCount(_ bytes: Int) -> String {
    let units = ["kB", "MB", "GB", "TB"]
    guard bytes >= 1000 else { return "\(bytes) bytes" }
    var value = Double(bytes) / 1000
    var unit = 0
    while value >= 999.5, unit < units.count - 1 {
        value /= 1000
        unit += 1
    }
    return "\(quantity(value)) \(units[unit])"
}

/// A duration in a sentence: `2.4 s`, `3 min 12 s`.
package func seconds(_ duration: Duration) -> String {
    let value = duration / .seconds(1)
    guard value >= 99.95 else { return value == value.rounded() ? "\(Int(value)) s" : "\(decimal(value, places: 1)) s" }
    let whole = Int(value.rounded())
    return whole < 3600 ? "\(whole / 60) min \(whole % 60) s" : "\(whole / 3600) h \(whole % 3600 / 60) min"
}

/// A duration as a clock shows it: `0:07`, `1:02:03`.
package func clock(_ duration: Duration) -> String {
    let (begun, rest) = duration.components
    let whole = Int(begun) + (rest > 0 ? 1 : 0)
    func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
    let minutes = whole / 60 % 60
    return whole < 3600 ? "\(minutes):\(two(whole % 60))" : "\(whole / 3600):\(two(minutes)):\(two(whole % 60))"
}

/// Local time of day: `09:41:07.123`.
package func timeOfDay(_ nanoseconds: Int64) -> String {
    var seconds = time_t(nanoseconds / 1_000_000_000)
    var parts = tm()
    localtime_r(&seconds, &parts)
    let fields = [parts.tm_hour, parts.tm_min, parts.tm_sec].map { $0 < 10 ? "0\($0)" : "\($0)" }
    let milliseconds = String(1000 + abs(nanoseconds / 1_000_000 % 1000)).dropFirst()
    return fields.joined(separator: ":") + "." + milliseconds
}

/// A count and its noun: `1 image`, `2 images`.
package func counted(_ count: Int, _ noun: String) -> String { "\(grouped(count)) \(noun)\(count == 1 ? "" : "s")" }

/// A name from elsewhere, without the control characters that would move a terminal's cursor or worse.
public func printable(_ text: String) -> String {
    let isHarmless = text.unicodeScalars.allSatisfy { !isControl($0) }
    return isHarmless
        ? text : String(String.UnicodeScalarView(text.unicodeScalars.map { isControl($0) ? "\u{FFFD}" : $0 }))
}

private func isControl(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: true
    default: false
    }
}
