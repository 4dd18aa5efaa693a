// A time as somebody writes it on a command line.

import Glibc

/// A point in time that was written as text.
public struct PointInTime: Sendable, Equatable {
    /// Nanoseconds since 1970.
    public let nanoseconds: Int64

    /// What can be written.
    public static let examples =
        "2026-11-24, 2026-11-24T08:30, 2026-11-24T08:30:15.5Z, 90m (ago; s, m, h or d), or nanoseconds"

    /// Reads a date with or without a time of day (RFC 3339; local time unless an offset follows), how long ago it was, or
    /// nanoseconds since 1970; nil where it is none of these.
    ///
    /// - Parameter now: nanoseconds since 1970.
    public init?(_ text: String, now: Int64) {
        if let number = Int64(text), text.allSatisfy(\.isNumber) {
            nanoseconds = number
        } else if let ago = text.wholeMatch(of: /([0-9]{1,9})([smhd])/) {
            let unit: Int64 =
                switch ago.2 {
                case "s": 1
                case "m": 60
                case "h": 3600
                default: 86_400
                }
            let (span, overflow) = Int64(ago.1)!.multipliedReportingOverflow(by: unit * 1_000_000_000)
            guard !overflow else { return nil }
            nanoseconds = now - span
        } else {
            guard let time = Self.calendarTime(text) else { return nil }
            nanoseconds = time
        }
    }

    private static func calendarTime(_ text: String) -> Int64? {
        // Other scripts have digits too, which are no numbers to Int.
        let pattern =
            /(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:\d\d)?)?/
            .asciiOnlyDigits()
        guard let match = text.wholeMatch(of: pattern), let year = Int32(match.1), (1970...2261).contains(year) else {
            return nil
        }
        var parts = tm()
        parts.tm_year = year - 1900
        parts.tm_mon = Int32(match.2)! - 1
        parts.tm_mday = Int32(match.3)!
        parts.tm_hour = match.4.map { Int32($0)! } ?? 0
        parts.tm_min = match.5.map { Int32($0)! } ?? 0
        parts.tm_sec = match.6.map { Int32($0)! } ?? 0
        // mktime(3): whether summer time is in force is to be found out.
        parts.tm_isdst = -1
        guard (0...11).contains(parts.tm_mon), (1...31).contains(parts.tm_mday), parts.tm_hour < 24, parts.tm_min < 60,
            parts.tm_sec < 61
        else { return nil }
        let day = parts.tm_mday
        var seconds = Int64(match.8 == nil ? mktime(&parts) : timegm(&parts))
        // The 31st of a month of 30 days has become the 1st of the next.
        guard parts.tm_mday == day else { return nil }
        if let offset = match.8, offset != "Z" {
            let minutes = Int64(offset.dropFirst().prefix(2))! * 60 + Int64(offset.suffix(2))!
            seconds -= (offset.hasPrefix("-") ? -60 : 60) * minutes
        }
        let fraction = match.7.map { Int64($0 + String(repeating: "0", count: 9 - $0.count))! } ?? 0
        return seconds * 1_000_000_000 + fraction
    }
}
