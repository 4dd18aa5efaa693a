// The vector type of the instruction set that a family's source is being compiled for.
//
// An `<family>_<isa>.c` file defines CK_ISA_<NAME>, includes this file, pushes CK_TARGET on every function, and
// includes the family's source. Vectors are GCC vector extensions, so the source is the same for all.
#pragma once
#include <stddef.h>
#include <stdint.h>

#if defined(CK_ISA_AVX512)
#define CK_WIDTH 16
#define CK_NAME(f) f##_avx512
#define CK_TARGET "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"
#elif defined(CK_ISA_AVX2)
#define CK_WIDTH 8
#define CK_NAME(f) f##_avx2
#define CK_TARGET "avx2,fma"
#else
#define CK_WIDTH 4
#define CK_NAME(f) f##_baseline
#endif

// CK_WIDTH floats, and the same without an alignment requirement; integers; bytes without an alignment requirement.
typedef float ck_vf __attribute__((vector_size(CK_WIDTH * 4)));
typedef float ck_vfu __attribute__((vector_size(CK_WIDTH * 4), aligned(4)));
typedef int32_t ck_vi __attribute__((vector_size(CK_WIDTH * 4)));
typedef uint8_t ck_vbu __attribute__((vector_size(CK_WIDTH), aligned(1)));
