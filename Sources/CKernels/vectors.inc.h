// What the families' sources do with vectors of floats, for the instruction set that they are being compiled for.
#include "vector.h"

typedef ck_vf vf;
#define WIDTH ((size_t)CK_WIDTH)
#define INLINE static inline __attribute__((always_inline))

INLINE vf load(const float *p) { return *(const ck_vfu *)p; }
INLINE void store(float *p, vf v) { *(ck_vfu *)p = v; }
INLINE vf splat(float x) { return x - (vf){}; }
