// Which part of a sliding window lies inside a picture.
#pragma once
#include <stddef.h>

// The taps first ..< last of a window that starts at `start` and fall inside 0 ..< size.
static inline void inside(ptrdiff_t start, size_t kernel, size_t size, size_t *first, size_t *last) {
    const ptrdiff_t end = (ptrdiff_t)size - start;
    *first = start < 0 ? (size_t)-start : 0;
    *last = end < 0 ? 0 : end < (ptrdiff_t)kernel ? (size_t)end : kernel;
    if (*first > *last) *first = *last;
}
