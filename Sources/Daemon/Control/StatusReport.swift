// The daemon at a moment, as `status` tells it: plain values, put together by the service and written as JSON here.

import Journal
import StreamProtocol

/// What `status` answers.
package struct StatusReport: Sendable {
    /// The queue of a configured source.
    package struct Queue: Sendable {
        var name: String
        var images: Int
        var bytes: Int
    }

    /// The program's version.
    var version: String
    /// Nanoseconds since 1970.
    var time: Int64
    /// Seconds since the start.
    var uptime: Double
    /// The assignments' epoch and last number.
    var numbering: (epoch: String, last: UInt64)
    /// Images assigned, and a second of late.
    var assigned: (images: UInt64, perSecond: Double)
    /// Images trained on, and a second of late.
    var trained: (images: UInt64, perSecond: Double)
    /// Steps in this run.
    var steps: UInt64
    /// What is in the journal, and how it fares.
    var journal: JournalStatus
    /// The sources' queues, in the order of the configuration.
    var queues: [Queue]
    /// What became of each sender's messages.
    var senders: [String: StreamCounters]

    /// The answer's members.
    var members: [String: JSON] {
        [
            "version": .string(version),
            "t": JSON(time),
            "uptime": JSON((uptime * 1000).rounded() / 1000),
            "assigning": .object([
                "epoch": .string(numbering.epoch), "seq": JSON(numbering.last), "images": JSON(assigned.images),
                "images_per_second": JSON(assigned.perSecond),
            ]),
            "training": .object([
                "steps": JSON(steps), "images": JSON(trained.images), "images_per_second": JSON(trained.perSecond),
            ]),
            "journal": journal.json,
            "queues": .array(queues.map(\.json)),
            "sources": .object(senders.mapValues(\.json)),
        ]
    }
}

extension StatusReport.Queue {
    fileprivate var json: JSON { .object(["name": .string(name), "images": JSON(images), "bytes": JSON(bytes)]) }
}

extension JournalStatus {
    fileprivate var json: JSON {
        .object([
            "rows": JSON(rows), "bytes": JSON(bytes), "failure": JSON(failure?.description), "waiting": JSON(waiting),
            "lost": JSON(lost),
        ])
    }
}

extension StreamCounters {
    /// The counts as `status` tells them.
    var json: JSON {
        .object([
            "received": JSON(received), "bytes": JSON(bytes), "admitted": JSON(admitted),
            "rejected": .object(rejected.mapValues { JSON($0) }), "dropped": .object(dropped.mapValues { JSON($0) }),
            "missing": JSON(missing), "duplicates": JSON(duplicates), "restarts": JSON(restarts),
        ])
    }
}
