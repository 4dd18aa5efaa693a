// What the service itself counts for its metrics, where nobody else counts it already.

import Journal
import StreamProtocol
import Telemetry

/// Counts of checkpoints, reloads and control requests; thread-safe.
package final class ServiceCounters: Sendable {
    /// What something came to that can only succeed or fail.
    static let (succeeded, failed) = ("ok", "failed")

    /// Seconds that writing a checkpoint takes.
    let checkpointDuration = Histogram(bounds: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120])
    /// Checkpoints written, by result.
    let checkpoints = CounterFamily(labels: 1, known: [[succeeded], [failed]])
    /// Reloads and rollbacks, by operation and result.
    let reloads = CounterFamily(
        labels: 2,
        known: ["reload", "rollback"].flatMap { operation in
            [succeeded, failed, ControlFailure.Code.refused.rawValue].map { [operation, $0] }
        })
    /// Requests at the control endpoint that an operation answered, by operation and result.
    let requests = CounterFamily(labels: 2)
    /// How often the journal began to fail.
    let journalFailures = Counter()

    /// Creates counts at zero.
    package init() {}

    /// Counts a failure of the journal; other events pass.
    func count(_ event: JournalEvent) {
        switch event {
        case .failing, .damaged: journalFailures.add()
        default: break
        }
    }

    /// Counts what a reload or rollback comes to.
    func counting<Value>(
        _ operation: String, _ body: () throws(ControlFailure) -> Value
    ) throws(ControlFailure) -> Value {
        do throws(ControlFailure) {
            let value = try body()
            reloads.add(1, operation, Self.succeeded)
            return value
        } catch {
            reloads.add(1, operation, error.code)
            throw error
        }
    }

    /// The operation, which counts what its requests come to.
    func counting(_ operation: ControlOperation) -> ControlOperation {
        ControlOperation(operation.name, lane: operation.lane) { [requests] (request) throws(ControlFailure) in
            do throws(ControlFailure) {
                let reply = try operation.run(request)
                requests.add(1, operation.name, Self.succeeded)
                return reply
            } catch {
                requests.add(1, operation.name, error.code)
                throw error
            }
        }
    }
}
