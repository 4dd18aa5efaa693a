// What the files of the imaging family know of each other.
#pragma once
#include "imaging.h"

// Pixels of a row that `columns` unpacks at a time.
#define CK_COLUMN_CHUNK 32

extern const ck_imaging ck_imaging_baseline;
#if defined(__x86_64__)
extern const ck_imaging ck_imaging_avx2;
extern const ck_imaging ck_imaging_avx512;
#endif
