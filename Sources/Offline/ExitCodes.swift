// How `train` and `evaluate` end when something is wrong, after sysexits.h.

import Checkpoints
import ContrastiveClustering
import Datasets

/// The exit code for what `train` or `evaluate` failed with; nil for errors that are none of theirs.
package func offlineExitCode(for error: any Error) -> Int32? {
    switch error {
    case is DatasetError: 74
    case let error as CheckpointError:
        switch error.kind {
        case .system, .damaged, .notFinite: 74
        case .inUse: 75
        case .otherModel: 78
        }
    case is StateMismatch: 78
    case let error as OfflineError:
        switch error {
        case .tooFewImages: 74
        case .otherSettings, .diverged: 78
        }
    default: nil
    }
}
