// The direct family for AVX2.
#if defined(__x86_64__)
#define CK_ISA_AVX2
#include "vector.h"
#pragma clang attribute push(__attribute__((target(CK_TARGET))), apply_to = function)
#include "direct.inc.h"
#pragma clang attribute pop
#endif
