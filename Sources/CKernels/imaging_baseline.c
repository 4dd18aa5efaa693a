// The imaging family for what the compiler may assume of the architecture.
#include "vector.h"
#include "imaging.inc.h"
