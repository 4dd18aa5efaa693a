// What an evaluating convolution does to its results on their way to memory.
#pragma once
#include <stdbool.h>

// A result v [.., channels] becomes v + bias, then + residual, then, with `rectifies`, no less than 0.
typedef struct {
    const float *bias;      // [channels]
    const float *residual;  // laid out like the results, and perhaps the place where they go; NULL for none
    bool rectifies;
} ck_finish;
