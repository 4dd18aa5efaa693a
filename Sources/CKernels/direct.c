// Which table of the direct family serves which instruction set.
#include "direct.h"

extern const ck_direct_kernels ck_direct_baseline;
#if defined(__x86_64__)
extern const ck_direct_kernels ck_direct_avx2, ck_direct_avx512;
#endif

const ck_direct_kernels *ck_direct(ck_isa isa) {
    switch (isa) {
#if defined(__x86_64__)
    case CK_AVX512:
        return &ck_direct_avx512;
    case CK_AVX2:
        return &ck_direct_avx2;
#endif
    default:
        return &ck_direct_baseline;
    }
}
