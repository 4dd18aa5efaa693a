// One image of a collection, in the same terms as an image of the stream.

import StreamProtocol

/// An image as a collection holds it: named, perhaps labelled, not decoded.
public struct ImageEntry: Sendable, Equatable {
    /// The path relative to the folder that was given, a path as it was given, or an IDX file's name and the index in it.
    public var id: String
    /// Ground truth, where labels were asked for: a folder's name, or a number of an IDX label file.
    public var label: Label?
    /// How `payload` stands for pixels.
    public var encoding: PayloadEncoding
    /// The bytes of the image file, or the pixels of one image of an IDX file.
    public var payload: [UInt8]
    /// When the picture was taken, nanoseconds since 1970, where it is a frame: of a file, the moment at which it is due if
    /// the video is played from when its reading began.
    public var taken: Int64?
    /// When a frame of a file is due, from the video's beginning.
    public var time: Duration?
    /// How many frames of a camera before this one were left out because they were not taken in time.
    public var missed = 0

    /// Creates an entry.
    public init(id: String, label: Label? = nil, encoding: PayloadEncoding, payload: [UInt8]) {
        self.id = id
        self.label = label
        self.encoding = encoding
        self.payload = payload
    }
}
