// The imaging family: resampling, colour and blur on pictures, for views of training images.
//
// Between decoding and the finished view a picture is rows of packed pixels, where it is stored whole: 32 bits each, red
// in the lowest byte, then green, blue and 0. Where it is worked on it is a line: a row's levels 0 ... 255 as planar floats
// [3, stride], the stride a multiple of CK_LINE_UNIT; what stands beyond the row's width has no meaning. Every stage but
// the blur ends in whole levels, as Pillow's does, so that the hue that a later stage computes from them agrees with
// Pillow's.
#pragma once
#include "isa.h"
#include <stddef.h>
#include <stdint.h>

// A line's stride is a multiple of this, and rows of packed pixels that become lines have as many readable ones beyond
// their end: the pixels of the widest vector.
#define CK_LINE_UNIT 16

// One axis of a separable resampling: output o is the sum over t < taps of weight[o][t] * input[first[o] + t].
typedef struct {
    size_t count;           // outputs
    size_t taps;            // inputs of each output
    const uint32_t *first;  // [count], never decreasing
    const float *weight;    // [count, taps], not negative, summing to 1
} ck_resampling;

typedef enum {
    CK_BRIGHTNESS,  // x -> factor x
    CK_CONTRAST,    // x -> level + factor (x - level), `level` the rounded mean of the picture's luma
    CK_SATURATION,  // x -> luma + factor (x - luma)
    CK_HUE,         // hue + level, in 256ths of a turn, modulo 256
    CK_GREYSCALE,   // x -> luma
} ck_colour_kind;

typedef struct {
    ck_colour_kind kind;
    float factor;
    int32_t level;
} ck_colour;

typedef struct {
    // Resamples `rows` rows of 8-bit RGB along x: out [rows, x.count] packed. Row i begins at rgb + offset + i * stride;
    // nothing at or past rgb + end is read. `mirrored` writes every row right to left.
    // `scratch` holds ck_columns_scratch(x) bytes.
    void (*columns)(uint32_t *out, const uint8_t *rgb, size_t offset, size_t stride, size_t end, size_t rows,
                    const ck_resampling *x, bool mirrored, void *scratch);

    // One output row of a resampling along y: a line, the sum over t < taps of weight[t] * in[t], in [taps, width] packed.
    void (*row)(float *line, size_t stride, const uint32_t *in, size_t width, size_t taps, const float *weight);

    // The sum of a line's luma, (19595 R + 38470 G + 7471 B + 32768) >> 16 (ITU-R 601-2 as Pillow's "L").
    uint64_t (*luma)(const float *line, size_t stride, size_t width);

    // Applies `operations` in order to each pixel of a line, in place.
    void (*colour)(float *line, size_t stride, const ck_colour *operations, size_t operation_count);

    // One pass of a separable symmetric filter of 2 radius + 1 taps, weight [radius + 1], the middle one first: out
    // [count], each the weighted sum of in[...][i], `count` a multiple of CK_LINE_UNIT. Along a line the inputs are that line
    // shifted by one float after another, across lines they are lines.
    void (*filter)(float *out, const float *const *in, size_t count, size_t radius, const float *weight);

    // 8-bit RGB [count, 3] to packed pixels.
    void (*pixels)(uint32_t *out, const uint8_t *rgb, size_t count);

    // A line to packed pixels [stride], and back.
    void (*pack)(uint32_t *out, const float *line, size_t stride);
    void (*unpack)(float *line, size_t stride, const uint32_t *in);

    // A line to 8-bit RGB [width, 3], and to floats in 0 ... 1 [width, 3].
    void (*bytes)(uint8_t *out, const float *line, size_t stride, size_t width);
    void (*levels)(float *out, const float *line, size_t stride, size_t width);
} ck_imaging;

// The table for `isa`, which the processor must support.
const ck_imaging *ck_imaging_for(ck_isa isa);

// The same functions written plainly, one pixel at a time: what the others are tested against.
const ck_imaging *ck_imaging_plain(void);

// Bytes of scratch that `columns` needs.
size_t ck_columns_scratch(const ck_resampling *x);

// The index in 0 ..< count that stands for `i` when a line is mirrored at its ends (BORDER_REFLECT_101).
size_t ck_reflect(ptrdiff_t i, size_t count);
