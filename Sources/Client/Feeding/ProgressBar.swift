// One line that says how far a feed is: ` 45% ━━━━━━━━━╸━━━━━━━  31,502/70,000  12,345/s  ETA 0:03`.
//
// What does not fit into the terminal is left out, the least important first.

import Remote

/// Makes the line from a feed's progress.
package struct ProgressBar {
    private static let widestBar = 40
    private static let narrowestBar = 8

    /// Whether the terminal can show more than ASCII.
    package let speaksUTF8: Bool

    /// Creates a bar.
    package init(speaksUTF8: Bool) { self.speaksUTF8 = speaksUTF8 }

    /// The line, at most `width` columns.
    ///
    /// - Parameter rate: images a second at the moment, where it is known.
    package func line(_ progress: FeedProgress, rate: Double?, endpoint: String, width: Int) -> String {
        let done = progress.sent + progress.unreadable
        let count = progress.total.map { "\(grouped(done))/\(grouped($0))" } ?? counted(done, "image")
        var parts = [count]
        if let rate { parts.append("\(quantity(rate))/s") }
        if let total = progress.total, let rate, rate > 0 {
            parts.append("ETA \(clock(.seconds(Double(total - done) / rate)))")
        }
        if progress.unreadable > 0 { parts.append("\(grouped(progress.unreadable)) unreadable") }
        if let obstacle = progress.obstacle { parts.insert(Self.text(obstacle, endpoint), at: 1) }

        // A count that ends is shown as a share too.
        let share = progress.total.map { $0 > 0 ? Double(done) / Double($0) : 1 }
        let percent = share.map { rightAligned("\(Int($0 * 100))%", 4) }
        while parts.count > 1, columns(Self.joined(percent, nil, parts)) > width { parts.removeLast() }
        let room = width - columns(Self.joined(percent, "", parts))
        let drawn = share.flatMap { room >= Self.narrowestBar ? bar($0, width: min(room, Self.widestBar)) : nil }
        let line = Self.joined(percent, drawn, parts)
        return columns(line) <= width ? line : fitted(line, width)
    }

    /// A share with its bar, where there is room, and a text: at most `width` columns.
    package func line(share: Double, text: String, width: Int) -> String {
        let percent = rightAligned("\(Int(share * 100))%", 4)
        let room = width - columns(percent) - columns(text) - 1
        let drawn = room >= Self.narrowestBar ? " " + bar(share, width: min(room, Self.widestBar)) : ""
        let line = percent + drawn + text
        return columns(line) <= width ? line : fitted(line, width)
    }

    private static func joined(_ percent: String?, _ bar: String?, _ parts: [String]) -> String {
        let front = [percent, bar].compactMap { $0 }.joined(separator: " ")
        return ([front].filter { !$0.isEmpty } + parts).joined(separator: "  ")
    }

    private static func text(_ obstacle: FeedProgress.Obstacle, _ endpoint: String) -> String {
        switch obstacle {
        case .noReceiver: "waiting for a receiver at \(endpoint)"
        case .noSubscriber: "waiting for a subscriber at \(endpoint)"
        case .receiverBusy: "receiver busy"
        }
    }

    private func bar(_ share: Double, width: Int) -> String {
        let filled = min(1, max(0, share)) * Double(width)
        let whole = Int(filled)
        guard speaksUTF8 else {
            return "[" + String(repeating: "#", count: max(0, whole - 2)).padding(to: width - 2, with: ".") + "]"
        }
        let eighths = Array(" ▏▎▍▌▋▊▉")
        let partial = whole < width ? String(eighths[Int((filled - Double(whole)) * 8)]) : ""
        return (String(repeating: "█", count: whole) + partial).padding(to: width, with: " ")
    }
}

extension String {
    fileprivate func padding(to width: Int, with filler: Character) -> String {
        self + String(repeating: filler, count: max(0, width - count))
    }
}
