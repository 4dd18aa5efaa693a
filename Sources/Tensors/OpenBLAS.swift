// How OpenBLAS is made to use the machine.
//
// Versions before 0.3.22 take some processors with AVX-512 for older ones (Zen 4 and 5 for Zen, unknown Intel models for
// Haswell) and then compute at half the speed. The choice is made when the library is loaded and can be overruled only by
// the environment, so a program has to start itself again.

import COpenBLAS
import Glibc

/// The linear-algebra library that this process has loaded.
public enum OpenBLAS {
    /// Kernels that use AVX-512, by the names that `openblas_get_corename` gives.
    private static let wideCores: Set<String> = ["SkylakeX", "Cooperlake", "SapphireRapids"]
    private static let variable = "OPENBLAS_CORETYPE"

    /// The processor whose kernels the library has chosen: `openblas_get_corename`.
    public static var coreName: String { String(cString: openblas_get_corename()) }

    /// Whether the library leaves half of this processor unused and nobody has told it to.
    public static var leavesVectorsUnused: Bool {
        InstructionSet.supported.contains(.avx512) && !wideCores.contains(coreName) && getenv(variable) == nil
    }

    /// Starts this program again with OpenBLAS told to use AVX-512, where it does not by itself; to be called first thing.
    ///
    /// A value of `OPENBLAS_CORETYPE` that somebody has set is kept. Returns where there is nothing to do, or where the
    /// program cannot be started again and goes on more slowly.
    public static func restartForWideVectors() {
        guard leavesVectorsUnused else { return }
        setenv(variable, "SkylakeX", 0)
        // execv(2) with the arguments as they were given.
        execv("/proc/self/exe", CommandLine.unsafeArgv)
        unsetenv(variable)
    }

    private static let oneThread: Void = openblas_set_num_threads(1)

    /// Has every later call work on its own thread alone; done once.
    static func useOneThread() { _ = oneThread }
}
