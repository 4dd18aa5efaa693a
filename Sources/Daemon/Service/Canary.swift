// A model tried before it serves: it must answer with numbers, and not answer everything alike.

import ContrastiveClustering
import Imaging
import Tensors

/// The images that a model is tried on, and the judgement.
struct Canary {
    /// Remembered images without which generated ones are added.
    private static let enough = 8
    private static let generated = 32
    /// Outputs that differ by less are alike.
    private static let tolerance: Float = 1e-6

    /// What the model is tried on: the remembered images first.
    let pictures: [RGBImage]
    /// How many of them are remembered.
    let remembered: Int

    /// Takes the remembered images, and generated ones where those are too few.
    init(remembered pictures: [RGBImage], side: Int) {
        remembered = pictures.count
        self.pictures =
            pictures.count >= Self.enough
            ? pictures : pictures + (0..<Self.generated).map { Self.picture(UInt64($0), side: side) }
    }

    /// What speaks against a model that answers so, beside the model that serves; nil where nothing does.
    ///
    /// - Parameter serving: the answers of the model that serves; empty where there is none.
    func objection(to candidate: [Assignment], serving: [Assignment]) -> String? {
        let broken = candidate.count { !$0.probabilities.allSatisfy(\.isFinite) || !$0.confidence.isFinite }
        if broken > 0 { return "for \(broken) of \(pictures.count) images its outputs are not finite" }
        // A camera may show the same thing all day: what the model that serves cannot tell apart, no other need.
        if Self.areAlike(candidate), serving.isEmpty || !Self.areAlike(serving) {
            return "it gives every image the same answer"
        }
        let (new, old) = (Self.clusters(candidate.prefix(remembered)), Self.clusters(serving.prefix(remembered)))
        if remembered >= Self.enough, new.count == 1, old.count > 1 {
            return
                "it has collapsed: all \(remembered) remembered images go to cluster \(new.first!), while the model that "
                + "serves uses \(old.count) clusters for them"
        }
        return nil
    }

    private static func clusters(_ assignments: ArraySlice<Assignment>) -> Set<Int> { Set(assignments.map(\.cluster)) }

    private static func areAlike(_ assignments: [Assignment]) -> Bool {
        guard let first = assignments.first?.probabilities else { return true }
        return assignments.allSatisfy { assignment in
            zip(assignment.probabilities, first).allSatisfy { abs($0 - $1) <= tolerance }
        }
    }

    /// Two colours that run into each other, and noise.
    private static func picture(_ number: UInt64, side: Int) -> RGBImage {
        var random = RandomSource(seed: number, stream: 0)
        let (from, to) = ((0..<3).map { _ in random.uniform() }, (0..<3).map { _ in random.uniform() })
        var pixels: [UInt8] = []
        pixels.reserveCapacity(3 * side * side)
        for place in 0..<side * side {
            let share = Float(place % side + place / side) / Float(2 * side)
            for channel in 0..<3 {
                let level = from[channel] * (1 - share) + to[channel] * share + 0.1 * (random.uniform() - 0.5)
                pixels.append(UInt8(min(max(level, 0), 1) * 255))
            }
        }
        return RGBImage(width: side, height: side, pixels: pixels)
    }
}
