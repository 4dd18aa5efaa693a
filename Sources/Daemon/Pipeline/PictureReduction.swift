// Large pictures made smaller before they wait for training in their hundreds.

import Imaging

extension RGBImage {
    /// This picture where it has at most `limit` bytes; else each square of f x f pixels becomes their mean, with f the
    /// smallest factor that suffices. Pixels beyond the last whole square are left out.
    package func reduced(toBytes limit: Int) -> RGBImage {
        precondition(limit >= 3)
        var factor = 1
        while max(1, width / factor) * max(1, height / factor) * 3 > limit { factor += 1 }
        return factor == 1 ? self : averaged(by: factor)
    }

    private func averaged(by factor: Int) -> RGBImage {
        let across = min(factor, width), down = min(factor, height)
        let (newWidth, newHeight) = (width / across, height / down)
        let half = across * down / 2
        var reduced = [UInt8](repeating: 0, count: newWidth * newHeight * 3)
        pixels.withUnsafeBufferPointer { pixels in
            reduced.withUnsafeMutableBufferPointer { reduced in
                for row in 0..<newHeight {
                    for column in 0..<newWidth {
                        var (red, green, blue) = (half, half, half)
                        for y in row * down..<(row + 1) * down {
                            var at = (y * width + column * across) * 3
                            for _ in 0..<across {
                                red += Int(pixels[at])
                                green += Int(pixels[at + 1])
                                blue += Int(pixels[at + 2])
                                at += 3
                            }
                        }
                        let at = (row * newWidth + column) * 3
                        reduced[at] = UInt8(red / (across * down))
                        reduced[at + 1] = UInt8(green / (across * down))
                        reduced[at + 2] = UInt8(blue / (across * down))
                    }
                }
            }
        }
        return RGBImage(width: newWidth, height: newHeight, pixels: reduced)
    }
}
