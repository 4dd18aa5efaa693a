// Which instruction sets this build holds, and which of them this processor has.
#pragma once
#include <stdbool.h>

typedef enum {
    CK_BASELINE = 0,  // SSE2 on x86-64, NEON on ARM: what the compiler may assume
    CK_AVX2 = 1,      // AVX2 + FMA
    CK_AVX512 = 2,    // AVX-512 F, BW, DQ, VL
} ck_isa;

// Whether this processor and operating system can run `isa`.
bool ck_isa_supported(ck_isa isa);

// How many processors this process may run on, at least 1.
int ck_processor_count(void);
