// What the pipeline says to the world, before it becomes messages: the seam between the workers and the publisher.

import ContrastiveClustering
import StreamProtocol

/// An assignment with its number.
package struct NumberedAssignment: Sendable {
    /// Identifies the numbering.
    package var epoch: String
    /// Counts up by one from 1 within the epoch, in the order of publishing.
    package var sequence: UInt64
    /// The image.
    package var origin: IncomingImage
    /// Its cluster.
    package var assignment: Assignment
    /// How many steps the weights that assigned it have been trained for.
    package var step: UInt64
    /// The numbering that the cluster's meaning belongs to.
    package var labelEpoch: UInt64
    /// When it was published, nanoseconds since 1970.
    package var published: Int64

    /// Gives an assignment its number.
    package init(
        epoch: String, sequence: UInt64, origin: IncomingImage, assignment: Assignment, step: UInt64,
        labelEpoch: UInt64,
        published: Int64
    ) {
        self.epoch = epoch
        self.sequence = sequence
        self.origin = origin
        self.assignment = assignment
        self.step = step
        self.labelEpoch = labelEpoch
        self.published = published
    }
}

/// Where assignments and rejections go; called from several threads, must not wait for any consumer.
package protocol PipelineOutput: Sendable {
    /// Publishes a batch of assignments; called in the order of sequence numbers.
    ///
    /// - Returns: the numbering after the batch: another than its own where numbering had to start again.
    func publish(_ assignments: [NumberedAssignment]) -> AssignmentNumbering

    /// Says that cluster numbers mean something else from the next assignment on; called in turn with `publish`.
    func publish(_ relabeling: RelabelingMessage)

    /// Says that an image of `source` cannot be read.
    func reject(source: String, id: String?, reason: String)
}
