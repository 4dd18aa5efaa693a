// ResNet-18, 34 and 50 without the classifier (He et al. 2016, https://arxiv.org/abs/1512.03385): which layers there are.
//
// Torchvision's variant: 7x7/2 stem, 3x3/2 max pooling, four stages, global average pooling; in the bottleneck the stride
// is at the 3x3 convolution. Names are torchvision's. How it runs is in ResNetTraining and ResNetInference.

import Tensors

/// Which ResNet.
public enum ResNetArchitecture: String, CaseIterable, Sendable {
    case resnet18, resnet34, resnet50

    /// Residual blocks in each of the four stages.
    var depths: [Int] { self == .resnet18 ? [2, 2, 2, 2] : [3, 4, 6, 3] }

    /// Whether a block is 1x1, 3x3, 1x1 rather than two 3x3.
    var usesBottlenecks: Bool { self == .resnet50 }

    /// Numbers that describe a picture: the length of h.
    public var featureCount: Int { usesBottlenecks ? 2048 : 512 }
}

/// out = ReLU(units(x) + shortcut(x)), a ReLU between units, the shortcut the identity where there is none.
struct ResidualBlock: Sendable {
    let units: [ConvolutionUnit]
    let shortcut: ConvolutionUnit?

    init(_ name: String, inputs: Int, width: Int, stride: Int, isBottleneck: Bool, _ layout: inout ParameterLayout) {
        let outputs = isBottleneck ? 4 * width : width
        let shapes: [(inputs: Int, outputs: Int, window: Window)] =
            isBottleneck
            ? [
                (inputs, width, Window(kernel: 1)), (width, width, Window(kernel: 3, stride: stride, padding: 1)),
                (width, outputs, Window(kernel: 1)),
            ]
            : [
                (inputs, width, Window(kernel: 3, stride: stride, padding: 1)),
                (width, width, Window(kernel: 3, padding: 1)),
            ]
        units = shapes.enumerated().map { index, shape in
            ConvolutionUnit(
                "\(name).conv\(index + 1)", norm: "\(name).bn\(index + 1)", inputs: shape.inputs,
                outputs: shape.outputs,
                shape.window, &layout)
        }
        shortcut =
            stride == 1 && inputs == outputs
            ? nil
            : ConvolutionUnit(
                "\(name).downsample.0", norm: "\(name).downsample.1", inputs: inputs, outputs: outputs,
                Window(kernel: 1, stride: stride), &layout)
    }

    /// The shape of the block's output for an input of shape x.
    func outputShape(_ x: [Int]) -> [Int] { units.reduce(x) { $1.outputShape($0) } }
}

/// The layers of a ResNet.
public struct ResNet: Sendable {
    /// Which ResNet.
    public let architecture: ResNetArchitecture
    let stem: ConvolutionUnit
    let blocks: [ResidualBlock]
    static let pooling = Window(kernel: 3, stride: 2, padding: 1)

    /// Declares all arrays under `name`, such as `resnet`.
    public init(_ name: String, _ architecture: ResNetArchitecture, _ layout: inout ParameterLayout) {
        self.architecture = architecture
        stem = ConvolutionUnit(
            "\(name).conv1", norm: "\(name).bn1", inputs: 3, outputs: 64, Window(kernel: 7, stride: 2, padding: 3),
            &layout)
        var blocks: [ResidualBlock] = []
        var inputs = 64
        for (stage, depth) in architecture.depths.enumerated() {
            for index in 0..<depth {
                blocks.append(
                    ResidualBlock(
                        "\(name).layer\(stage + 1).\(index)", inputs: inputs, width: 64 << stage,
                        stride: stage > 0 && index == 0 ? 2 : 1, isBottleneck: architecture.usesBottlenecks, &layout))
                inputs = blocks.last!.units.last!.outputs
            }
        }
        self.blocks = blocks
    }

    /// The shapes of the stem's output and of what is pooled from it, for x [N, H, W, 3].
    func stemShapes(_ x: [Int]) -> (output: [Int], pooled: [Int]) {
        let output = stem.outputShape(x)
        let pooled = [x[0], Self.pooling.positions(output[1]), Self.pooling.positions(output[2]), stem.outputs]
        return (output, pooled)
    }
}
