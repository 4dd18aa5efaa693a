// The direct family for what the compiler may assume: SSE2 on x86-64, NEON on ARM.
#include "vector.h"
#include "direct.inc.h"
