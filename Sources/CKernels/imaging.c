// Chooses the imaging functions of an instruction set; what they share.
#include "imaging_tables.h"

const ck_imaging *ck_imaging_for(ck_isa isa) {
    switch (isa) {
#if defined(__x86_64__)
    case CK_AVX2:
        return &ck_imaging_avx2;
    case CK_AVX512:
        return &ck_imaging_avx512;
#endif
    default:
        return &ck_imaging_baseline;
    }
}

// For the widest vectors: a window of turned pixels, and a block of packed output.
size_t ck_columns_scratch(const ck_resampling *x) {
    return (3 * ck_columns_window(x->taps) + x->count) * CK_LINE_UNIT * sizeof(float);
}

size_t ck_reflect(ptrdiff_t i, size_t count) {
    if (count == 1) return 0;
    ptrdiff_t last = (ptrdiff_t)count - 1;
    while (i < 0 || i > last) i = i < 0 ? -i : 2 * last - i;
    return (size_t)i;
}
