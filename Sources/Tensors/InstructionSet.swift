// The instruction sets that CKernels is compiled for, and which of them this machine has.

import CKernels

/// An instruction set that the inner loops are compiled for.
public enum InstructionSet: String, CaseIterable, Sendable {
    /// What the compiler may assume of the architecture: SSE2 on x86-64, NEON on ARM.
    case baseline
    /// AVX2 and FMA.
    case avx2
    /// AVX-512 F, BW, DQ and VL.
    case avx512

    /// The value that selects this set's table in `CKernels`.
    public var code: ck_isa {
        switch self {
        case .baseline: CK_BASELINE
        case .avx2: CK_AVX2
        case .avx512: CK_AVX512
        }
    }

    /// The sets that this processor can run, slowest first.
    public static var supported: [InstructionSet] { allCases.filter { ck_isa_supported($0.code) } }

    /// The fastest set that this processor can run.
    public static var best: InstructionSet { supported.last ?? .baseline }
}
