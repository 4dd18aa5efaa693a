// The imaging functions over vectors of CK_WIDTH pixels, in vector extensions; compiled once an instruction set.
//
// Resampling runs along x first, as Pillow's does. For that, CK_WIDTH rows at a time are turned so that a vector holds
// one column's pixels of all of them; then every tap is a load and a multiply-add with one weight for the whole vector.
// Colours are changed in lines of planar floats, whole vectors long, so that no function over them has a remainder.
#include "imaging_tables.h"
#include <string.h>

typedef uint8_t ck_u8x16 __attribute__((vector_size(16)));
typedef uint8_t ck_u8x16u __attribute__((vector_size(16), aligned(1)));
typedef uint32_t ck_u32x4 __attribute__((vector_size(16)));
typedef uint32_t ck_u32x4u __attribute__((vector_size(16), aligned(1)));
typedef float ck_f32x4 __attribute__((vector_size(16)));
typedef float ck_f32x4u __attribute__((vector_size(16), aligned(4)));
typedef int32_t ck_viu __attribute__((vector_size(CK_WIDTH * 4), aligned(4)));
typedef uint8_t ck_vbu __attribute__((vector_size(CK_WIDTH), aligned(1)));

// A vector of each channel's levels, as whole numbers in floats unless they are sums under way.
typedef struct {
    ck_vf r, g, b;
} ck_rgb;

static inline ck_vf ck_float(ck_vi x) { return __builtin_convertvector(x, ck_vf); }
static inline ck_vi ck_whole(ck_vf x) { return __builtin_convertvector(x, ck_vi); }
static inline ck_vf ck_all(float x) { return (ck_vf){} + x; }
static inline ck_vf ck_choose(ck_vi mask, ck_vf yes, ck_vf no) {
    return (ck_vf)((mask & (ck_vi)yes) | (~mask & (ck_vi)no));
}
// One instruction each, which __builtin_elementwise_max is not: that one minds NaNs.
static inline ck_vf ck_max(ck_vf a, ck_vf b) { return ck_choose(a > b, a, b); }
static inline ck_vf ck_min(ck_vf a, ck_vf b) { return ck_choose(a < b, a, b); }
// The whole part. SSE2 has no such instruction but the conversion to integers.
static inline ck_vf ck_trunc(ck_vf x) {
    return CK_WIDTH == 4 ? ck_float(ck_whole(x)) : __builtin_elementwise_trunc(x);
}

static inline ck_rgb ck_unpack(ck_vi p) { return (ck_rgb){ck_float(p & 255), ck_float((p >> 8) & 255), ck_float(p >> 16)}; }
static inline ck_vi ck_pack(ck_rgb p) { return ck_whole(p.r) | ck_whole(p.g) << 8 | ck_whole(p.b) << 16; }

static inline ck_rgb ck_load(const float *line, size_t stride) {
    return (ck_rgb){*(const ck_vfu *)line, *(const ck_vfu *)(line + stride), *(const ck_vfu *)(line + 2 * stride)};
}
static inline void ck_store(float *line, size_t stride, ck_rgb p) {
    *(ck_vfu *)line = p.r;
    *(ck_vfu *)(line + stride) = p.g;
    *(ck_vfu *)(line + 2 * stride) = p.b;
}

// MARK: resampling

// As many bytes as a vector has.
enum { ck_lanes = CK_WIDTH / 4, ck_bytes = 16 * ck_lanes };
typedef uint8_t ck_vb __attribute__((vector_size(4 * CK_WIDTH)));
typedef uint8_t ck_vbu4 __attribute__((vector_size(4 * CK_WIDTH), aligned(1)));

// The indices that riffle the eight bytes from `a` on with those of another vector of `n` bytes; a lane of each vector.
#define CK_RIFFLE(a, n) \
    a, n + a, a + 1, n + a + 1, a + 2, n + a + 2, a + 3, n + a + 3, a + 4, n + a + 4, a + 5, n + a + 5, a + 6, n + a + 6, \
        a + 7, n + a + 7
#if CK_WIDTH == 16
#define CK_RIFFLE_LANES(a) CK_RIFFLE(a, 64), CK_RIFFLE(a + 16, 64), CK_RIFFLE(a + 32, 64), CK_RIFFLE(a + 48, 64)
#elif CK_WIDTH == 8
#define CK_RIFFLE_LANES(a) CK_RIFFLE(a, 32), CK_RIFFLE(a + 16, 32)
#else
#define CK_RIFFLE_LANES(a) CK_RIFFLE(a, 16)
#endif

// Turns ck_bytes bytes of CK_WIDTH rows to floats: out [ck_bytes, CK_WIDTH]. Each round riffles the two halves of the rows'
// bytes, which moves the first bit of a byte's index to its end; after all bits of the row have moved, rows are columns.
static inline void ck_turn_bytes(float *out, const uint8_t *const *rows, size_t offset) {
    ck_vb v[CK_WIDTH], u[CK_WIDTH];
    for (size_t r = 0; r < CK_WIDTH; r++) v[r] = *(const ck_vbu4 *)(rows[r] + offset);
    for (size_t round = CK_WIDTH; round > 1; round /= 2) {
        for (size_t r = 0; r < CK_WIDTH / 2; r++) {
            ck_vb a = v[r], b = v[r + CK_WIDTH / 2];
            u[2 * r] = __builtin_shufflevector(a, b, CK_RIFFLE_LANES(0));
            u[2 * r + 1] = __builtin_shufflevector(a, b, CK_RIFFLE_LANES(8));
        }
        memcpy(v, u, sizeof v);
    }
    // Within a lane of 16 bytes; the lanes of a vector belong to columns 16 apart.
    for (size_t lane = 0; lane < ck_lanes; lane++)
        for (size_t i = 0; i < 16; i++) {
            size_t at = i * CK_WIDTH;
            const uint8_t *column = (const uint8_t *)&v[at / 16] + 16 * lane + at % 16;
            *(ck_vfu *)(out + (16 * lane + i) * CK_WIDTH) = __builtin_convertvector(*(const ck_vbu *)column, ck_vf);
        }
}

// Turns ck_bytes pixels of CK_WIDTH rows, which begin at rgb + at[...]: out [chunk, 3, CK_WIDTH]. Whatever lies at
// rgb + end and beyond it is taken for 0.
static inline void ck_turn(float *out, const uint8_t *rgb, const size_t *at, size_t end) {
    enum { size = 3 * ck_bytes };
    uint8_t copies[CK_WIDTH][size];
    const uint8_t *rows[CK_WIDTH];
    for (size_t r = 0; r < CK_WIDTH; r++) {
        rows[r] = rgb + at[r];
        if (at[r] + size > end) {
            memset(copies[r], 0, size);
            if (at[r] < end) memcpy(copies[r], rgb + at[r], end - at[r]);
            rows[r] = copies[r];
        }
    }
    for (size_t i = 0; i < size; i += ck_bytes) ck_turn_bytes(out + i * CK_WIDTH, rows, i);
}

static inline void ck_transpose(ck_u32x4 v[4]) {
    ck_u32x4 a = __builtin_shufflevector(v[0], v[1], 0, 4, 1, 5), b = __builtin_shufflevector(v[2], v[3], 0, 4, 1, 5);
    ck_u32x4 c = __builtin_shufflevector(v[0], v[1], 2, 6, 3, 7), d = __builtin_shufflevector(v[2], v[3], 2, 6, 3, 7);
    v[0] = __builtin_shufflevector(a, b, 0, 1, 4, 5);
    v[1] = __builtin_shufflevector(a, b, 2, 3, 6, 7);
    v[2] = __builtin_shufflevector(c, d, 0, 1, 4, 5);
    v[3] = __builtin_shufflevector(c, d, 2, 3, 6, 7);
}

// block [count, CK_WIDTH] to `rows` rows of out [rows, count].
static inline void ck_turn_back(uint32_t *out, const uint32_t *block, size_t rows, size_t count) {
    size_t whole_rows = rows & ~(size_t)3, whole_count = count & ~(size_t)3;
    for (size_t r = 0; r < whole_rows; r += 4)
        for (size_t o = 0; o < whole_count; o += 4) {
            ck_u32x4 v[4];
            for (size_t k = 0; k < 4; k++) v[k] = *(const ck_u32x4u *)(block + (o + k) * CK_WIDTH + r);
            ck_transpose(v);
            for (size_t k = 0; k < 4; k++) *(ck_u32x4u *)(out + (r + k) * count + o) = v[k];
        }
    for (size_t r = 0; r < rows; r++)
        for (size_t o = r < whole_rows ? whole_count : 0; o < count; o++) out[r * count + o] = block[o * CK_WIDTH + r];
}

// The weighted sum of `taps` pixels [taps, 3, CK_WIDTH] and a half, to be cut to a whole level. The loop is unrolled where
// `taps` is a constant.
static inline __attribute__((always_inline)) ck_rgb ck_weigh(const float *in, const float *weight, size_t taps) {
    ck_rgb sum = {ck_all(0.5f), ck_all(0.5f), ck_all(0.5f)};
    for (size_t t = 0; t < taps; t++) {
        ck_rgb p = ck_load(in + t * 3 * CK_WIDTH, CK_WIDTH);
        sum.r += weight[t] * p.r;
        sum.g += weight[t] * p.g;
        sum.b += weight[t] * p.b;
    }
    return sum;
}

// A window of turned pixels that holds those which the next outputs need, so that it stays in the nearest cache.
typedef struct {
    float *pixels;        // [room, 3, CK_WIDTH]
    size_t room;
    size_t begin, ready;  // the columns in it
    const uint8_t *rgb;
    size_t at[CK_WIDTH];  // where the next column of each row begins
    size_t end;
} ck_window;

// Lets the columns first ..< first + taps be in the window.
static __attribute__((noinline)) void CK_NAME(ck_advance)(ck_window *w, size_t first, size_t taps) {
    const size_t pixel = 3 * CK_WIDTH;
    while (w->ready < first + taps) {
        if (w->ready - w->begin + ck_bytes > w->room) {
            size_t kept = first < w->ready ? w->ready - first : 0;
            memmove(w->pixels, w->pixels + (w->ready - kept - w->begin) * pixel, kept * pixel * sizeof(float));
            w->begin = w->ready - kept;
        }
        ck_turn(w->pixels + (w->ready - w->begin) * pixel, w->rgb, w->at, w->end);
        for (size_t r = 0; r < CK_WIDTH; r++) w->at[r] += 3 * ck_bytes;
        w->ready += ck_bytes;
    }
}

// The outputs of CK_WIDTH rows, block [x->count, CK_WIDTH]. Inlined with a constant number of taps, so that the loop over
// them is unrolled.
static inline __attribute__((always_inline)) void ck_weigh_rows(uint32_t *block, ck_window *w, const ck_resampling *x,
                                                                size_t taps, bool mirrored) {
    ptrdiff_t step = mirrored ? -CK_WIDTH : CK_WIDTH;
    uint32_t *to = mirrored ? block + (x->count - 1) * CK_WIDTH : block;
    const float *weight = x->weight;
    for (size_t o = 0; o < x->count; o++, to += step, weight += taps) {
        size_t first = x->first[o];
        if (w->ready < first + taps) CK_NAME(ck_advance)(w, first, taps);
        *(ck_viu *)to = ck_pack(ck_weigh(w->pixels + (first - w->begin) * 3 * CK_WIDTH, weight, taps));
    }
}

static void CK_NAME(columns)(uint32_t *out, const uint8_t *rgb, size_t offset, size_t stride, size_t end, size_t rows,
                             const ck_resampling *x, bool mirrored, void *scratch) {
    uint32_t *block = scratch;
    for (size_t i = 0; i < rows; i += CK_WIDTH) {
        ck_window w = {(float *)(block + x->count * CK_WIDTH), ck_columns_window(x->taps), 0, 0, rgb, {}, end};
        size_t present = rows - i < CK_WIDTH ? rows - i : CK_WIDTH;
        for (size_t r = 0; r < CK_WIDTH; r++) w.at[r] = offset + (i + (r < present ? r : present - 1)) * stride;
        switch (x->taps) {
        case 2: ck_weigh_rows(block, &w, x, 2, mirrored); break;
        case 3: ck_weigh_rows(block, &w, x, 3, mirrored); break;
        case 4: ck_weigh_rows(block, &w, x, 4, mirrored); break;
        case 5: ck_weigh_rows(block, &w, x, 5, mirrored); break;
        case 6: ck_weigh_rows(block, &w, x, 6, mirrored); break;
        default: ck_weigh_rows(block, &w, x, x->taps, mirrored);
        }
        ck_turn_back(out + i * x->count, block, present, x->count);
    }
}

static void CK_NAME(row)(float *line, size_t stride, const uint32_t *in, size_t width, size_t taps, const float *weight) {
    for (size_t i = 0; i < width; i += CK_WIDTH) {
        ck_rgb sum = {ck_all(0.5f), ck_all(0.5f), ck_all(0.5f)};
        for (size_t t = 0; t < taps; t++) {
            ck_rgb p = ck_unpack(*(const ck_viu *)(in + t * width + i));
            sum.r += weight[t] * p.r;
            sum.g += weight[t] * p.g;
            sum.b += weight[t] * p.b;
        }
        ck_store(line + i, stride, (ck_rgb){ck_trunc(sum.r), ck_trunc(sum.g), ck_trunc(sum.b)});
    }
}

// MARK: colour

// Exact in floats: every term and sum is a whole number below 2^24, and the rest a power of two.
static inline ck_vf ck_luma(ck_rgb p) {
    return ck_trunc((19595.0f * p.r + 38470.0f * p.g + 7471.0f * p.b + 32768.0f) * 0x1p-16f);
}

static uint64_t CK_NAME(luma)(const float *line, size_t stride, size_t width) {
    ck_vi sum = {}, last = {};
    size_t i = 0;
    for (; i + CK_WIDTH <= width; i += CK_WIDTH) sum += ck_whole(ck_luma(ck_load(line + i, stride)));
    if (i < width) last = ck_whole(ck_luma(ck_load(line + i, stride)));
    uint64_t total = 0;
    for (size_t k = 0; k < CK_WIDTH; k++) total += (uint64_t)sum[k] + (uint64_t)(k < width - i ? last[k] : 0);
    return total;
}

static inline ck_vf ck_blend(ck_vf from, ck_vf to, float factor) {
#pragma clang fp contract(off)
    ck_vf change = factor * (to - from);
    return ck_trunc(ck_min(ck_max(from + change, ck_all(0)), ck_all(255)));
}

// The whole part of 255 x as if computed without rounding, for x in 0 ... 1.
static inline ck_vf ck_levels_below(ck_vf x) {
    ck_vf n = ck_trunc(255.0f * x);
    return n - ck_choose(256.0f * x - n < x, ck_all(1), ck_all(0));  // both sides of the comparison are exact
}

// Pillow's rgb2hsv, the hue turned by `shift`: hue, saturation and value in place of red, green and blue. Of what the
// three channels lack of the largest, one is 0 and one the chroma, so there is one quotient in place of three.
static inline ck_rgb ck_to_hsv(ck_rgb p, int32_t shift) {
    ck_vf most = ck_max(p.r, ck_max(p.g, p.b));
    ck_vf lacks_r = most - p.r, lacks_g = most - p.g, lacks_b = most - p.b;
    ck_vf chroma = ck_max(lacks_r, ck_max(lacks_g, lacks_b)), middle = lacks_r + lacks_g + lacks_b - chroma;
    ck_vi is_red = p.r == most, is_green = p.g == most;
    ck_vf base = ck_choose(is_red, ck_all(0), ck_choose(is_green, ck_all(2), ck_all(4)));
    ck_vf before = ck_choose(is_red, lacks_b, ck_choose(is_green, lacks_r, lacks_g));
    ck_vf way = 1.0f - middle / ck_max(chroma, ck_all(1));
    ck_vf h = (base + ck_choose(before == chroma, way, -way)) / 6.0f;
    h += ck_choose(h < 0.0f, ck_all(1), ck_all(0));
    ck_vf hue = ck_float((ck_whole(ck_levels_below(h)) + shift) & 255);
    return (ck_rgb){hue, ck_levels_below(chroma / ck_max(most, ck_all(1))), most};
}

// One channel of hsv2rgb: `fall` is how much of the chroma the channel lacks, in 255ths before it is cut.
static inline ck_vf ck_from_hue(ck_vf fall, ck_vf value, ck_vf chroma) {
    ck_vf depth = ck_min(ck_max(fall, ck_all(0)), ck_all(255));
    return ck_trunc(value + depth * chroma);
}

static inline ck_vf ck_distance(ck_vf hue, float from) {
    return (ck_vf)((ck_vi)(6.0f * hue - from) & 0x7FFFFFFF);
}

// Pillow's hsv2rgb as one ramp a channel.
static inline ck_rgb ck_from_hsv(ck_rgb p) {
    ck_vf value = p.b + 0.5f, chroma = p.b * p.g * (-1 / 65025.0f);
    return (ck_rgb){ck_from_hue(510.0f - ck_distance(p.r, 765), value, chroma),
                    ck_from_hue(ck_distance(p.r, 510) - 255.0f, value, chroma),
                    ck_from_hue(ck_distance(p.r, 1020) - 255.0f, value, chroma)};
}

// Inlined with a constant kind, so that its loop holds nothing else.
static inline __attribute__((always_inline)) void ck_blend_line(float *line, size_t stride, ck_colour_kind kind,
                                                                const ck_colour *operation) {
    ck_vf level = ck_all(kind == CK_CONTRAST ? (float)operation->level : 0);
    for (size_t i = 0; i < stride; i += CK_WIDTH) {
        ck_rgb p = ck_load(line + i, stride);
        ck_vf from = kind == CK_SATURATION ? ck_luma(p) : level;
        p.r = ck_blend(from, p.r, operation->factor);
        p.g = ck_blend(from, p.g, operation->factor);
        p.b = ck_blend(from, p.b, operation->factor);
        ck_store(line + i, stride, p);
    }
}

// In two loops: one would be a chain of instructions too long for the processor to begin the next vector meanwhile.
static inline void ck_turn_hue(float *line, size_t stride, int32_t shift) {
    for (size_t i = 0; i < stride; i += CK_WIDTH) ck_store(line + i, stride, ck_to_hsv(ck_load(line + i, stride), shift));
    for (size_t i = 0; i < stride; i += CK_WIDTH) ck_store(line + i, stride, ck_from_hsv(ck_load(line + i, stride)));
}

static inline void ck_grey(float *line, size_t stride) {
    for (size_t i = 0; i < stride; i += CK_WIDTH) {
        ck_vf luma = ck_luma(ck_load(line + i, stride));
        ck_store(line + i, stride, (ck_rgb){luma, luma, luma});
    }
}

// One operation after another over the line, which stays in the nearest cache.
static void CK_NAME(colour)(float *line, size_t stride, const ck_colour *operations, size_t operation_count) {
    for (const ck_colour *o = operations; o < operations + operation_count; o++) switch (o->kind) {
        case CK_BRIGHTNESS: ck_blend_line(line, stride, CK_BRIGHTNESS, o); break;
        case CK_CONTRAST: ck_blend_line(line, stride, CK_CONTRAST, o); break;
        case CK_SATURATION: ck_blend_line(line, stride, CK_SATURATION, o); break;
        case CK_HUE: ck_turn_hue(line, stride, o->level); break;
        case CK_GREYSCALE: ck_grey(line, stride); break;
        }
}

// MARK: blur

// Inlined with a constant radius, so that the weights stay in registers.
static inline __attribute__((always_inline)) void ck_filter(float *restrict out, const float *const *restrict in,
                                                            size_t count, size_t radius, const float *restrict weight) {
    for (size_t i = 0; i < count; i += CK_WIDTH) {
        ck_vf sum = weight[0] * *(const ck_vfu *)(in[radius] + i);
        for (size_t k = 1; k <= radius; k++)
            sum += weight[k] * (*(const ck_vfu *)(in[radius - k] + i) + *(const ck_vfu *)(in[radius + k] + i));
        *(ck_vfu *)(out + i) = sum;
    }
}

static void CK_NAME(filter)(float *out, const float *const *in, size_t count, size_t radius, const float *weight) {
    switch (radius) {
    case 1: return ck_filter(out, in, count, 1, weight);
    case 2: return ck_filter(out, in, count, 2, weight);
    case 3: return ck_filter(out, in, count, 3, weight);
    case 4: return ck_filter(out, in, count, 4, weight);
    case 5: return ck_filter(out, in, count, 5, weight);
    case 6: return ck_filter(out, in, count, 6, weight);
    default: return ck_filter(out, in, count, radius, weight);
    }
}

// MARK: other forms of pixels

static void CK_NAME(pixels)(uint32_t *out, const uint8_t *rgb, size_t count) {
    size_t i = 0;
    for (; i + 6 <= count; i += 4) {  // loads 16 bytes of which 12 count, so it stops 4 bytes early
        ck_u8x16 b = *(const ck_u8x16u *)(rgb + 3 * i), zero = {};
        *(ck_u8x16u *)(out + i) =
            __builtin_shufflevector(b, zero, 0, 1, 2, 16, 3, 4, 5, 16, 6, 7, 8, 16, 9, 10, 11, 16);
    }
    for (; i < count; i++) out[i] = rgb[3 * i] | (uint32_t)rgb[3 * i + 1] << 8 | (uint32_t)rgb[3 * i + 2] << 16;
}

static void CK_NAME(pack)(uint32_t *out, const float *line, size_t stride) {
    for (size_t i = 0; i < stride; i += CK_WIDTH) *(ck_viu *)(out + i) = ck_pack(ck_load(line + i, stride));
}

static void CK_NAME(unpack)(float *line, size_t stride, const uint32_t *in) {
    for (size_t i = 0; i < stride; i += CK_WIDTH) ck_store(line + i, stride, ck_unpack(*(const ck_viu *)(in + i)));
}

static void CK_NAME(bytes)(uint8_t *out, const float *line, size_t stride, size_t width) {
    size_t i = 0;
    for (; i + CK_WIDTH + 2 <= width; i += CK_WIDTH) {  // stores 16 bytes of which 12 count, so it stops 4 bytes early
        ck_vi packed = ck_pack(ck_load(line + i, stride));
        for (size_t k = 0; k < CK_WIDTH; k += 4) {
            ck_u8x16 p;
            memcpy(&p, (const int32_t *)&packed + k, sizeof p);
            *(ck_u8x16u *)(out + 3 * (i + k)) =
                __builtin_shufflevector(p, p, 0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 15, 15, 15, 15);
        }
    }
    for (; i < width; i++)
        for (size_t c = 0; c < 3; c++) out[3 * i + c] = (uint8_t)line[c * stride + i];
}

static void CK_NAME(levels)(float *out, const float *line, size_t stride, size_t width) {
    const float scale = 1 / 255.0f;
    size_t i = 0;
    for (; i + 4 <= width; i += 4, out += 12) {
        ck_f32x4 r = *(const ck_f32x4u *)(line + i) * scale, g = *(const ck_f32x4u *)(line + stride + i) * scale,
                 b = *(const ck_f32x4u *)(line + 2 * stride + i) * scale;
        ck_f32x4 rg = __builtin_shufflevector(r, g, 0, 4, 1, 5), gb = __builtin_shufflevector(g, b, 1, 5, 2, 6);
        ck_f32x4 br = __builtin_shufflevector(b, r, 0, 5, 2, 7), rgh = __builtin_shufflevector(r, g, 2, 6, 3, 7);
        *(ck_f32x4u *)out = __builtin_shufflevector(rg, br, 0, 1, 4, 5);
        *(ck_f32x4u *)(out + 4) = __builtin_shufflevector(gb, rgh, 0, 1, 4, 5);
        *(ck_f32x4u *)(out + 8) = __builtin_shufflevector(br, __builtin_shufflevector(g, b, 3, 7, 3, 7), 2, 3, 4, 5);
    }
    for (; i < width; i++, out += 3)
        for (size_t c = 0; c < 3; c++) out[c] = line[c * stride + i] * scale;
}

const ck_imaging CK_NAME(ck_imaging) = {
    CK_NAME(columns), CK_NAME(row),  CK_NAME(luma),   CK_NAME(colour), CK_NAME(filter),
    CK_NAME(pixels),  CK_NAME(pack), CK_NAME(unpack), CK_NAME(bytes),  CK_NAME(levels)};
