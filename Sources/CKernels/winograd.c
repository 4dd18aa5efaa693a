// Which table of the Winograd family serves which instruction set.
#include "winograd.h"

extern const ck_winograd_kernels ck_winograd_baseline;
#if defined(__x86_64__)
extern const ck_winograd_kernels ck_winograd_avx2, ck_winograd_avx512;
#endif

const ck_winograd_kernels *ck_winograd(ck_isa isa) {
    switch (isa) {
#if defined(__x86_64__)
    case CK_AVX512:
        return &ck_winograd_avx512;
    case CK_AVX2:
        return &ck_winograd_avx2;
#endif
    default:
        return &ck_winograd_baseline;
    }
}
