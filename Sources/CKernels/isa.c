// Run-time detection of instruction sets.
#include "isa.h"

bool ck_isa_supported(ck_isa isa) {
    switch (isa) {
    case CK_BASELINE:
        return true;
#if defined(__x86_64__)
    case CK_AVX2:
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case CK_AVX512:
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") && ck_isa_supported(CK_AVX2);
#endif
    default:
        return false;
    }
}
