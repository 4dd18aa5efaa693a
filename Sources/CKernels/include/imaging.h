// The imaging family: resampling, colour and blur on pictures, for views of training images.
//
// Between decoding and the finished view a picture is rows of packed pixels: 32 bits each, red in the lowest byte,
// then green, blue and 0. Every stage ends in whole grey levels, as Pillow's does, so that the hue that a later stage
// computes from them agrees with Pillow's.
#pragma once
#include "isa.h"
#include <stddef.h>
#include <stdint.h>

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
    // `scratch` holds ck_columns_scratch(pixels of a row, x.count) bytes.
    void (*columns)(uint32_t *out, const uint8_t *rgb, size_t offset, size_t stride, size_t end, size_t rows,
                    const ck_resampling *x, bool mirrored, void *scratch);

    // One output row of a resampling along y: out [width] = sum over t < taps of weight[t] * in[t], in [taps, width].
    void (*row)(uint32_t *out, const uint32_t *in, size_t width, size_t taps, const float *weight);

    // The sum of the pixels' luma, (19595 R + 38470 G + 7471 B + 32768) >> 16 (ITU-R 601-2 as Pillow's "L").
    uint64_t (*luma)(const uint32_t *pixels, size_t count);

    // Applies `operations` in order to each pixel, in place.
    void (*colour)(uint32_t *pixels, size_t count, const ck_colour *operations, size_t operation_count);

    // 8-bit RGB [count, 3] to packed pixels.
    void (*pixels)(uint32_t *out, const uint8_t *rgb, size_t count);

    // Packed pixels to 8-bit RGB: out [count, 3].
    void (*bytes)(uint8_t *out, const uint32_t *pixels, size_t count);

    // 8-bit levels to floats in 0 ... 1: out [count].
    void (*levels)(float *out, const uint8_t *in, size_t count);

    // One row of a separable symmetric filter of 2 radius + 1 taps over RGB floats, borders mirrored without repeating
    // the border pixel (OpenCV's BORDER_REFLECT_101): out [width, 3] from rows [2 radius + 1][width, 3], which the
    // caller has mirrored at the top and bottom. weight [radius + 1], the middle one first.
    // `scratch` holds (width + 2 radius) * 3 floats.
    void (*blur)(float *out, const float *const *rows, size_t width, size_t radius, const float *weight, float *scratch);
} ck_imaging;

// The table for `isa`, which the processor must support.
const ck_imaging *ck_imaging_for(ck_isa isa);

// The same functions written plainly, one pixel at a time: what the others are tested against.
const ck_imaging *ck_imaging_plain(void);

// Bytes of scratch that `columns` needs.
size_t ck_columns_scratch(size_t row_pixels, size_t count);

// The index in 0 ..< count that stands for `i` when a line is mirrored at its ends (BORDER_REFLECT_101).
size_t ck_reflect(ptrdiff_t i, size_t count);
