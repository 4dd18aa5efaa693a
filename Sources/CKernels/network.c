// Which table of the network family serves which instruction set.
#include "network.h"

extern const ck_network_kernels ck_network_baseline;
#if defined(__x86_64__)
extern const ck_network_kernels ck_network_avx2, ck_network_avx512;
#endif

const ck_network_kernels *ck_network(ck_isa isa) {
    switch (isa) {
#if defined(__x86_64__)
    case CK_AVX512:
        return &ck_network_avx512;
    case CK_AVX2:
        return &ck_network_avx2;
#endif
    default:
        return &ck_network_baseline;
    }
}
