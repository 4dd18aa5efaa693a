// `clusterd query`: assignments that have been made, from the journal.

import ArgumentParser
import Client
import Daemon
import Foundation
import Journal
import Remote
import StreamProtocol

extension AssignmentRecords.Format: ExpressibleByArgument {}

/// Shows assignments of the past.
struct QueryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query",
        abstract: "Shows assignments that have been made, from the journal.",
        discussion: """
            Reads the journal of a daemon on this machine, whether it is running or \
            not. All conditions that are given must hold. Assignments come in the \
            order in which they were made.

            EXAMPLES
              The last hundred, and all about one image:
                clusterd query
                clusterd query --id 0042.jpg

              What a camera saw in cluster 3 during the last hour, for a spreadsheet:
                clusterd query --source cam1 --cluster 3 --since 1h --limit 0 \\
                  --format csv > cluster3.csv

              A day, as it was published:
                clusterd query --since 2026-11-24 --until 2026-11-25 --limit 0 \\
                  --format json | jq .cluster | sort | uniq -c

            A TIME is \(PointInTime.examples).

            A condition on the time is looked up; the others are compared with every \
            assignment that is left.

            EXIT STATUS
              0   The journal was read, whether or not anything was found.
              64  Wrong usage.
              74  There is no journal, it cannot be read, or the output cannot be
                  written.
            """)

    @Option(help: ArgumentHelp("Only images of this source.", valueName: "name"))
    var source: String?

    @Option(help: ArgumentHelp("Only images in this cluster.", valueName: "k"))
    var cluster: Int?

    @Option(help: ArgumentHelp("Only the image with this name.", valueName: "id"))
    var id: String?

    @Option(help: ArgumentHelp("Only what was published at this time or later.", valueName: "time"))
    var since: String?

    @Option(help: ArgumentHelp("Only what was published before this time.", valueName: "time"))
    var until: String?

    @Option(help: ArgumentHelp("Only so many, the newest of them; 0 is all.", valueName: "n"))
    var limit = 100

    @Option(help: "How they are shown.")
    var format = AssignmentRecords.Format.table

    @Option(
        help: ArgumentHelp(
            "The daemon's journal.directory. (default: its state directory)", valueName: "folder"),
        completion: .directory)
    var journal: String?

    func validate() throws { _ = try query() }

    func run() throws {
        let query = try query()
        // A reader that goes is an error of a write, not a signal.
        signal(SIGPIPE, SIG_IGN)
        let records = AssignmentRecords(format: format)
        do throws(JournalError) {
            let folder = journal ?? Configuration.stateDirectory(environment: ProcessInfo.processInfo.environment)
            try JournalReader(directory: folder).read(query) { records.write($0) }
        } catch {
            say("\(error)")
            throw ExitCode(EX_IOERR)
        }
        records.end()
        if case .failed(let number) = records.outcome {
            say("cannot write the output: \(String(cString: strerror(number)))")
            throw ExitCode(EX_IOERR)
        }
        if records.count == query.newest { say("the newest \(limit); --limit 0 shows all") }
    }

    private func say(_ line: String) {
        FileHandle.standardError.write(Data("clusterd query: \(printable(line))\n".utf8))
    }

    private func query() throws -> JournalQuery {
        guard limit >= 0 else { throw ValidationError("--limit is 0 or more") }
        var query = JournalQuery()
        query.source = source
        query.cluster = cluster
        query.id = id
        query.since = try since.map { try time($0, "--since") }
        query.until = try until.map { try time($0, "--until") }
        query.newest = limit == 0 ? nil : limit
        return query
    }

    private func time(_ text: String, _ option: String) throws -> Int64 {
        guard let time = PointInTime(text, now: wallClockNanoseconds()) else {
            throw ValidationError("\(option): '\(text)' is no time; write \(PointInTime.examples)")
        }
        return time.nanoseconds
    }
}
