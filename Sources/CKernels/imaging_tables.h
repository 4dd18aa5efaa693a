// What the files of the imaging family know of each other.
#pragma once
#include "imaging.h"

// Pixels of a row that `columns` holds turned: those of an output, and enough others that they are seldom moved.
static inline size_t ck_columns_window(size_t taps) { return taps + 128; }

extern const ck_imaging ck_imaging_baseline;
#if defined(__x86_64__)
extern const ck_imaging ck_imaging_avx2;
extern const ck_imaging ck_imaging_avx512;
#endif
