// Convolution by the definition: small blocks of output pixels times the packed weight, finished while their sums are in
// registers. Nothing is gathered and nothing is written twice.

import CKernels
import Tensors

extension ConvolutionProblem {
    /// Whether the packed weight and its blocks can take this convolution.
    func allowsDirect(_ compute: Compute) -> Bool {
        outputs % compute.direct.panel == 0 && window.kernel_height * window.kernel_width <= Int(CK_DIRECT_TAPS)
    }

    /// y = the convolution of x with a weight [kH, kW, I, O] that is packed for this once.
    func forwardDirectly(_ y: Tensor, _ x: Tensor, _ weight: Tensor, _ compute: Compute) {
        let packed = compute.reserveShared(.weights, weight.count)
        let zeroCount = max(inputs, outputs)
        let zeros = compute.reserveShared(.constants, zeroCount + outputs), ones = zeros + zeroCount
        zeros.update(repeating: 0, count: zeroCount)
        ones.update(repeating: 1, count: outputs)
        packWeight(packed, weight, scale: ones, compute)
        evaluateDirectly(y, x, packed: packed, zeros: zeros, ConvolutionFinish(bias: zeros), compute)
    }

    /// packed [O / panel][kH · kW · I][panel] = the weight [kH, kW, I, O] times scale [O].
    func packWeight(
        _ packed: UnsafeMutablePointer<Float>, _ weight: Tensor, scale: UnsafePointer<Float>, _ compute: Compute
    ) {
        let kernels = compute.direct
        nonisolated(unsafe) let scale = scale
        compute.pool.run(outputs / kernels.panel) { panel, _ in
            kernels.pack(packed, weight.data, scale, depth, outputs, panel, panel + 1)
        }
    }

    /// y = the convolution of x with a weight that `packWeight` has made, finished; zeros [I].
    func evaluateDirectly(
        _ y: Tensor, _ x: Tensor, packed: UnsafePointer<Float>, zeros: UnsafePointer<Float>,
        _ finish: ConvolutionFinish, _ compute: Compute
    ) {
        precondition(allowsDirect(compute))
        let kernels = compute.direct
        var window = window
        let (blocks, panels) = (kernels.blocks(&window, batch), outputs / kernels.panel)
        // A group of blocks goes through all panels while its windows are in the cache. Where there are few groups, threads
        // divide the panels too, so that each reads a part of the weight only.
        let groups = (blocks + 15) / 16
        let parts = min(panels, max(1, 4 * compute.pool.threadCount / groups))
        nonisolated(unsafe) let (packed, zeros) = (packed, zeros)
        compute.pool.run(groups * parts) { task, _ in
            var (window, description) = (self.window, finish.description)
            let (part, group) = task.quotientAndRemainder(dividingBy: groups)
            kernels.convolve(
                y.data, x.data, packed, zeros, &window, batch, outputs, blocks * group / groups,
                blocks * (group + 1) / groups, panels * part / parts, panels * (part + 1) / parts, &description)
        }
    }
}
