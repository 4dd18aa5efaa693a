// Somebody who watches images being assigned, beside those who are told by message.

import ContrastiveClustering

/// Looks at what the assigner does; called on its thread, which waits for it.
package protocol PipelineObserver: Sendable {
    /// Images that have been assigned, with embeddings, and published at `published`, nanoseconds since 1970.
    func assigned(_ images: [DecodedImage], _ assignments: [Assignment], published: Int64)

    /// Cluster numbers mean something else from the next image on.
    func relabeled()
}
