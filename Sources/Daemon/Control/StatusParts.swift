// The values of other parts of the daemon as `status` writes them.

import Checkpoints
import ContrastiveClustering
import Journal
import StreamProtocol
import ZeroMQ

extension StatusReport.Queue {
    /// A source's queue.
    var json: JSON { .object(["name": .string(name), "images": JSON(images), "bytes": JSON(bytes)]) }
}

extension Losses {
    /// The parts and their sum.
    var json: JSON {
        .object([
            "total": JSON(total), "instance": JSON(instance), "cluster": JSON(cluster), "entropy": JSON(entropy),
        ])
    }
}

extension ClusterUsage.Snapshot {
    /// Sizes, and whether the model has collapsed.
    var json: JSON {
        .object([
            "sizes": .array(sizes.map { JSON($0) }), "recent": .array(recent.map { JSON($0) }),
            "largest_share": largestShare.map { JSON($0) } ?? .null, "entropy": entropy.map { JSON($0) } ?? .null,
            "collapsed": .bool(isCollapsed),
        ])
    }
}

extension CheckpointLedger.Entry {
    /// The checkpoint, and how many remembered images changed cluster since the one before.
    var json: JSON {
        var members = record.json.members ?? [:]
        members["churn"] = churn?.share.map { JSON($0) } ?? .null
        return .object(members)
    }
}

extension JournalStatus {
    /// What is in the journal, and how it fares.
    var json: JSON {
        .object([
            "rows": JSON(rows), "bytes": JSON(bytes), "failure": JSON(failure?.description), "waiting": JSON(waiting),
            "lost": JSON(lost),
        ])
    }
}

extension SourceHealth {
    /// What became of the sender's messages, and how it is doing.
    var json: JSON {
        var members = counters.json.members ?? [:]
        members["socket"] = .string(socket)
        members["state"] = .string(state.rawValue)
        members["last_image"] = lastImage.map { JSON($0) } ?? .null
        members["images_per_second"] = JSON(rate)
        return .object(members)
    }
}

extension StreamCounters {
    /// The counts as `status` tells them.
    var json: JSON {
        .object([
            "received": JSON(received), "bytes": JSON(bytes), "admitted": JSON(admitted),
            "rejected": .object(rejected.mapValues { JSON($0) }), "dropped": .object(dropped.mapValues { JSON($0) }),
            "missing": JSON(missing), "duplicates": JSON(duplicates), "restarts": JSON(restarts), "ends": JSON(ends),
        ])
    }
}

extension [HandshakeFailure: UInt64] {
    /// The counts by reason.
    var json: JSON { .object([String: JSON](uniqueKeysWithValues: map { ($0.rawValue, JSON($1)) })) }
}
