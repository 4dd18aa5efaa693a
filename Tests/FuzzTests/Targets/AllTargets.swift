// The list of targets. A parser of foreign bytes is fuzzed by adding its target here, and inputs in Corpus/ under its name.

extension FuzzTarget {
    /// Every target; those that need files have them in `folder`.
    static func all(in folder: String) throws -> [FuzzTarget] {
        [
            messages(.auto, share: 15), messages(.clusterd, share: 10), messages(.imagezmq, share: 10),
            messages(.netgear, share: 10), json(share: 20), control(share: 10), replies(share: 4), published(share: 8),
            sequence(share: 4), jpeg(share: 3), png(share: 3), webp(share: 3), safetensors(share: 10),
            checkpoint(in: folder, share: 2), idx(in: folder, share: 3), try idxLabels(in: folder, share: 1),
            paths(in: folder, share: 1), configuration(share: 2), times(share: 3),
            zap(share: 4), keyFile(in: folder, share: 1), httpRequest(share: 4),
            try journalFile(in: folder, share: 0.1), try journalRows(in: folder, share: 0.2),
        ]
    }
}
