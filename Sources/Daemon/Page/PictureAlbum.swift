// The pictures that the page shows: of each cluster those it is most certain of and that came lately, a sample of all for the
// map, and each sender's last.
//
// They are kept small and as JPEG files. Whatever the number of clusters and senders, memory is bounded: by the numbers
// below some 4,000 pictures of 3 to 9 kilobytes.

import Foundation
import StreamProtocol

/// A picture with what is known of it.
package struct AlbumPicture: Sendable {
    /// Its number, of this run alone.
    package var id: UInt64
    /// Its cluster.
    package var cluster: Int
    /// How probable that is.
    package var confidence: Float
    /// Who sent it.
    package var source: String
    /// The sender's own name for it.
    package var name: String?
    /// Ground truth, if the sender gave it.
    package var label: Label?
    /// When it was received, nanoseconds since 1970.
    package var received: Int64
    /// Its embedding, where the map is to have it.
    package var embedding: [Float]?

    /// Creates a picture.
    package init(
        id: UInt64, cluster: Int, confidence: Float, source: String, name: String? = nil, label: Label? = nil,
        received: Int64, embedding: [Float]? = nil
    ) {
        self.id = id
        self.cluster = cluster
        self.confidence = confidence
        self.source = source
        self.name = name
        self.label = label
        self.received = received
        self.embedding = embedding
    }

    /// What galleries keep those with the most of: confidence counts half after two minutes.
    fileprivate var score: Double { log2(Double(max(confidence, 1e-6))) + Double(received) * 1e-9 / 120 }

    /// The picture as the page is told of it.
    var json: JSON {
        .object([
            "id": .string("\(id)"), "confidence": JSON((Double(confidence) * 1000).rounded() / 1000),
            "source": .string(source), "name": JSON(name), "label": label?.json ?? .null, "t": JSON(received),
        ])
    }
}

extension Label {
    /// The label as it was given.
    var json: JSON {
        switch self {
        case .text(let text): .string(text)
        case .number(let number): JSON(number)
        }
    }
}

/// The pictures kept at a moment.
package struct PictureAlbum: Sendable {
    /// Pictures of a cluster.
    package static let galleryPictures = 24
    /// Clusters that have a gallery; a new one takes the place of that which has been without news for longest.
    package static let galleries = 96
    /// Pictures on the map.
    package static let mapPictures = 400
    /// Senders whose last picture is kept.
    package static let senders = 64

    private struct File: Sendable {
        var jpeg: [UInt8]
        var uses: Int
    }

    private var files: [UInt64: File] = [:]
    private var galleries: [Int: [AlbumPicture]] = [:]
    private var sample: [AlbumPicture] = []
    private var nextInSample = 0
    private var lastOfSender: [String: AlbumPicture] = [:]
    /// The clusters whose galleries have changed since the last `takeChanges`.
    private var changed: Set<Int> = []

    /// Creates an empty album.
    package init() {}

    /// A picture's file.
    package func file(_ id: UInt64) -> [UInt8]? { files[id]?.jpeg }

    /// How many files are kept.
    package var count: Int { files.count }

    /// The pictures on the map.
    package var map: [AlbumPicture] { sample }

    /// The number of the last picture of each sender.
    package var lastPictures: [String: UInt64] { lastOfSender.mapValues(\.id) }

    /// Files a picture where it belongs.
    ///
    /// - Parameters:
    ///   - isSample: whether it was taken without looking at it, so that the map may have it.
    ///   - isLast: whether it is its sender's last.
    package mutating func add(_ picture: AlbumPicture, jpeg: [UInt8], isSample: Bool, isLast: Bool) {
        files[picture.id] = File(jpeg: jpeg, uses: 1)
        if isLast { addLast(picture) }
        if isSample, picture.embedding != nil { addToMap(picture) }
        addToGallery(picture)
        release(picture.id)
    }

    /// Takes all pictures out of galleries and map: cluster numbers mean something else.
    package mutating func removeClusters() {
        for picture in galleries.values.joined() { release(picture.id) }
        for picture in sample { release(picture.id) }
        changed.formUnion(galleries.keys)
        galleries = [:]
        sample = []
        nextInSample = 0
    }

    /// The galleries that have changed since this was last asked for; all of them where `all`.
    package mutating func takeChanges(all: Bool) -> [Int: [AlbumPicture]] {
        defer { changed = [] }
        if all { return galleries }
        return Dictionary(uniqueKeysWithValues: changed.map { ($0, galleries[$0] ?? []) })
    }

    private mutating func addToGallery(_ picture: AlbumPicture) {
        let cluster = picture.cluster
        if galleries[cluster] == nil, galleries.count >= Self.galleries { dropStalestGallery() }
        var pictures = galleries[cluster] ?? []
        let place = pictures.firstIndex { $0.score < picture.score } ?? pictures.count
        guard place < Self.galleryPictures else { return }
        var kept = picture
        kept.embedding = nil
        pictures.insert(kept, at: place)
        retain(picture.id)
        if pictures.count > Self.galleryPictures { release(pictures.removeLast().id) }
        galleries[cluster] = pictures
        changed.insert(cluster)
    }

    private mutating func dropStalestGallery() {
        let newest = galleries.mapValues { $0.map(\.received).max() ?? 0 }
        guard let stalest = newest.min(by: { $0.value < $1.value })?.key else { return }
        for picture in galleries.removeValue(forKey: stalest) ?? [] { release(picture.id) }
        changed.insert(stalest)
    }

    private mutating func addToMap(_ picture: AlbumPicture) {
        retain(picture.id)
        // Vectors of another length are of another model.
        if sample.first.map({ $0.embedding?.count != picture.embedding?.count }) ?? false {
            for old in sample { release(old.id) }
            sample = []
            nextInSample = 0
        }
        if sample.count < Self.mapPictures {
            sample.append(picture)
        } else {
            release(sample[nextInSample].id)
            sample[nextInSample] = picture
            nextInSample = (nextInSample + 1) % Self.mapPictures
        }
    }

    private mutating func addLast(_ picture: AlbumPicture) {
        if lastOfSender[picture.source] == nil, lastOfSender.count >= Self.senders {
            guard let oldest = lastOfSender.min(by: { $0.value.received < $1.value.received }) else { return }
            release(oldest.value.id)
            lastOfSender[oldest.key] = nil
        }
        retain(picture.id)
        if let before = lastOfSender.updateValue(picture, forKey: picture.source) { release(before.id) }
    }

    private mutating func retain(_ id: UInt64) { files[id]?.uses += 1 }

    private mutating func release(_ id: UInt64) {
        files[id]?.uses -= 1
        if files[id]?.uses == 0 { files[id] = nil }
    }
}
