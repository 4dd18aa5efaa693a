// The imaging functions over vectors of CK_WIDTH pixels, in vector extensions; compiled once an instruction set.
//
// Resampling runs along x first, as Pillow's does. For that, CK_WIDTH rows at a time are turned so that a vector holds
// one column's pixels of all of them; then every tap is a load and a multiply-add with one weight for the whole vector.
#include "imaging_tables.h"
#include <string.h>

typedef uint8_t ck_u8x16 __attribute__((vector_size(16)));
typedef uint32_t ck_u32x4 __attribute__((vector_size(16)));
typedef uint32_t ck_u32x4u __attribute__((vector_size(16), aligned(1)));
typedef int32_t ck_viu __attribute__((vector_size(CK_WIDTH * 4), aligned(4)));
typedef uint8_t ck_vbu __attribute__((vector_size(CK_WIDTH), aligned(1)));

// A vector of each channel's levels.
typedef struct {
    ck_vi r, g, b;
} ck_rgb;

static inline ck_vf ck_float(ck_vi x) { return __builtin_convertvector(x, ck_vf); }
static inline ck_vi ck_whole(ck_vf x) { return __builtin_convertvector(x, ck_vi); }
static inline ck_vi ck_choose(ck_vi mask, ck_vi yes, ck_vi no) { return (mask & yes) | (~mask & no); }
static inline ck_vi ck_max(ck_vi a, ck_vi b) { return __builtin_elementwise_max(a, b); }
static inline ck_vi ck_min(ck_vi a, ck_vi b) { return __builtin_elementwise_min(a, b); }
static inline ck_vi ck_clamp(ck_vi x) { return ck_min(ck_max(x, x - x), (ck_vi){} + 255); }
static inline ck_rgb ck_unpack(ck_vi p) { return (ck_rgb){p & 255, (p >> 8) & 255, p >> 16}; }
static inline ck_vi ck_pack(ck_rgb p) { return p.r | p.g << 8 | p.b << 16; }

// `count` < CK_WIDTH pixels, the rest 0; and back.
static inline ck_vi ck_load_some(const uint32_t *in, size_t count) {
    ck_vi x = {};
    memcpy(&x, in, 4 * count);
    return x;
}
static inline void ck_store_some(uint32_t *out, ck_vi x, size_t count) { memcpy(out, &x, 4 * count); }

// MARK: resampling

// Four RGB pixels from rgb + at as packed pixels; 0 from rgb + end on.
static inline ck_u32x4 ck_four_pixels(const uint8_t *rgb, size_t at, size_t end) {
    ck_u8x16 b = {};
    if (at + 16 <= end)
        memcpy(&b, rgb + at, 16);
    else if (at < end)
        memcpy(&b, rgb + at, end - at);
    ck_u8x16 zero = {};
    return (ck_u32x4)__builtin_shufflevector(b, zero, 0, 1, 2, 16, 3, 4, 5, 16, 6, 7, 8, 16, 9, 10, 11, 16);
}

static inline void ck_transpose(ck_u32x4 v[4]) {
    ck_u32x4 a = __builtin_shufflevector(v[0], v[1], 0, 4, 1, 5), b = __builtin_shufflevector(v[2], v[3], 0, 4, 1, 5);
    ck_u32x4 c = __builtin_shufflevector(v[0], v[1], 2, 6, 3, 7), d = __builtin_shufflevector(v[2], v[3], 2, 6, 3, 7);
    v[0] = __builtin_shufflevector(a, b, 0, 1, 4, 5);
    v[1] = __builtin_shufflevector(a, b, 2, 3, 6, 7);
    v[2] = __builtin_shufflevector(c, d, 0, 1, 4, 5);
    v[3] = __builtin_shufflevector(c, d, 2, 3, 6, 7);
}

// Turns CK_COLUMN_CHUNK pixels of CK_WIDTH rows, which begin at rgb + at[...]: planar [chunk, 3, CK_WIDTH].
static inline void ck_turn(float *planar, const uint8_t *rgb, const size_t *at, size_t end) {
    uint32_t packed[CK_COLUMN_CHUNK * CK_WIDTH];
    for (size_t r = 0; r < CK_WIDTH; r += 4)
        for (size_t i = 0; i < CK_COLUMN_CHUNK; i += 4) {
            ck_u32x4 v[4];
            for (size_t k = 0; k < 4; k++) v[k] = ck_four_pixels(rgb, at[r + k] + 3 * i, end);
            ck_transpose(v);
            for (size_t k = 0; k < 4; k++) *(ck_u32x4u *)(packed + (i + k) * CK_WIDTH + r) = v[k];
        }
    for (size_t i = 0; i < CK_COLUMN_CHUNK; i++, planar += 3 * CK_WIDTH) {
        ck_rgb p = ck_unpack(*(const ck_viu *)(packed + i * CK_WIDTH));
        *(ck_vfu *)planar = ck_float(p.r);
        *(ck_vfu *)(planar + CK_WIDTH) = ck_float(p.g);
        *(ck_vfu *)(planar + 2 * CK_WIDTH) = ck_float(p.b);
    }
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

static void CK_NAME(columns)(uint32_t *out, const uint8_t *rgb, size_t offset, size_t stride, size_t end, size_t rows,
                             const ck_resampling *x, bool mirrored, void *scratch) {
    uint32_t *block = scratch;
    float *planar = (float *)(block + x->count * CK_WIDTH);
    for (size_t i = 0; i < rows; i += CK_WIDTH) {
        size_t at[CK_WIDTH], present = rows - i < CK_WIDTH ? rows - i : CK_WIDTH;
        for (size_t r = 0; r < CK_WIDTH; r++) at[r] = offset + (i + (r < present ? r : present - 1)) * stride;
        size_t ready = 0;
        for (size_t o = 0; o < x->count; o++) {
            for (; ready < x->first[o] + x->taps; ready += CK_COLUMN_CHUNK) {
                ck_turn(planar + ready * 3 * CK_WIDTH, rgb, at, end);
                for (size_t r = 0; r < CK_WIDTH; r++) at[r] += 3 * CK_COLUMN_CHUNK;
            }
            const float *in = planar + (size_t)x->first[o] * 3 * CK_WIDTH, *weight = x->weight + o * x->taps;
            ck_vf r = (ck_vf){} + 0.5f, g = r, b = r;
            for (size_t t = 0; t < x->taps; t++, in += 3 * CK_WIDTH) {
                r += weight[t] * *(const ck_vfu *)in;
                g += weight[t] * *(const ck_vfu *)(in + CK_WIDTH);
                b += weight[t] * *(const ck_vfu *)(in + 2 * CK_WIDTH);
            }
            size_t to = mirrored ? x->count - 1 - o : o;
            *(ck_viu *)(block + to * CK_WIDTH) = ck_pack((ck_rgb){ck_whole(r), ck_whole(g), ck_whole(b)});
        }
        ck_turn_back(out + i * x->count, block, present, x->count);
    }
}

static void CK_NAME(row)(uint32_t *out, const uint32_t *in, size_t width, size_t taps, const float *weight) {
    for (size_t i = 0; i < width; i += CK_WIDTH) {
        size_t count = width - i;
        ck_vf r = (ck_vf){} + 0.5f, g = r, b = r;
        for (size_t t = 0; t < taps; t++) {
            const uint32_t *at = in + t * width + i;
            ck_rgb p = ck_unpack(count >= CK_WIDTH ? (ck_vi) * (const ck_viu *)at : ck_load_some(at, count));
            r += weight[t] * ck_float(p.r);
            g += weight[t] * ck_float(p.g);
            b += weight[t] * ck_float(p.b);
        }
        ck_vi p = ck_pack((ck_rgb){ck_whole(r), ck_whole(g), ck_whole(b)});
        if (count >= CK_WIDTH)
            *(ck_viu *)(out + i) = p;
        else
            ck_store_some(out + i, p, count);
    }
}

// MARK: colour

// Exact in floats: every term and sum is a whole number below 2^24, and the rest a power of two.
static inline ck_vi ck_luma(ck_rgb p) {
    return ck_whole((19595.0f * ck_float(p.r) + 38470.0f * ck_float(p.g) + 7471.0f * ck_float(p.b) + 32768.0f) * 0x1p-16f);
}

static uint64_t CK_NAME(luma)(const uint32_t *pixels, size_t count) {
    uint64_t sum = 0;
    while (count > 0) {
        size_t part = count < (1 << 20) ? count : 1 << 20;  // keeps the lanes below 2^31
        ck_vi lanes = {};
        size_t i = 0;
        for (; i + CK_WIDTH <= part; i += CK_WIDTH) lanes += ck_luma(ck_unpack(*(const ck_viu *)(pixels + i)));
        if (i < part) lanes += ck_luma(ck_unpack(ck_load_some(pixels + i, part - i)));
        for (int k = 0; k < CK_WIDTH; k++) sum += (uint64_t)lanes[k];
        pixels += part;
        count -= part;
    }
    return sum;
}

static inline ck_vi ck_blend(ck_vi from, ck_vi to, float factor) {
#pragma clang fp contract(off)
    ck_vf change = factor * ck_float(to - from);
    return ck_clamp(ck_whole(ck_float(from) + change));
}

// The whole part of 255 x as if computed without rounding, for x in 0 ... 1.
static inline ck_vi ck_levels_below(ck_vf x) {
    ck_vi n = ck_whole(255.0f * x);
    return n + (256.0f * x - ck_float(n) < x);  // both sides are exact; a comparison that holds is -1
}

// One channel of hsv2rgb: `turned` is how far the hue is from the channel's falling edge, in 1530ths of a turn.
static inline ck_vi ck_from_hue(ck_vi turned, ck_vf value, ck_vf chroma) {
    ck_vi k = turned + ((turned >= 1530) & -1530);
    ck_vi depth = ck_clamp(ck_min(k, 1020 - k));
    return ck_whole(value - chroma * ck_float(depth) * (1 / 65025.0f) + 0.5f);
}

// The plain version's arithmetic, with the six cases as chosen operands and hsv2rgb as one ramp a channel.
static inline ck_rgb ck_turn_hue(ck_rgb p, int32_t shift) {
    ck_vi most = ck_max(p.r, ck_max(p.g, p.b)), least = ck_min(p.r, ck_min(p.g, p.b));
    ck_vi is_red = p.r == most, is_green = p.g == most, zero = {};
    ck_vf chroma = ck_float(ck_max(most - least, zero + 1));
    ck_vi plus = most - ck_choose(is_red, p.b, ck_choose(is_green, p.r, p.g));
    ck_vi minus = most - ck_choose(is_red, p.g, ck_choose(is_green, p.b, p.r));
    ck_vi base = ~is_red & ck_choose(is_green, zero + 2, zero + 4);
    ck_vf h = (ck_float(base) + (ck_float(plus) / chroma - ck_float(minus) / chroma)) / 6.0f;
    h = h + ck_float(-(h < 0.0f));
    ck_vi hue = 6 * ((ck_levels_below(h) + shift) & 255);
    ck_vi saturation = ck_levels_below(ck_float(most - least) / ck_float(ck_max(most, zero + 1)));

    ck_vf value = ck_float(most), depth = value * ck_float(saturation);
    return (ck_rgb){ck_from_hue(hue + 1275, value, depth), ck_from_hue(hue + 765, value, depth),
                    ck_from_hue(hue + 255, value, depth)};
}

static inline ck_vi ck_apply(ck_vi pixel, const ck_colour *operation) {
    ck_rgb p = ck_unpack(pixel);
    float factor = operation->factor;
    ck_vi from = {};
    switch (operation->kind) {
    case CK_HUE:
        return ck_pack(ck_turn_hue(p, operation->level));
    case CK_GREYSCALE:
        return ck_luma(p) * 0x010101;
    case CK_BRIGHTNESS:
        break;
    case CK_CONTRAST:
        from += operation->level;
        break;
    case CK_SATURATION:
        from = ck_luma(p);
        break;
    }
    return ck_pack((ck_rgb){ck_blend(from, p.r, factor), ck_blend(from, p.g, factor), ck_blend(from, p.b, factor)});
}

// One operation after another over the pixels, a row that stays in the nearest cache: all of them on one vector would
// be a chain too long for the processor to begin the next vector meanwhile (1.35 times slower).
static void CK_NAME(colour)(uint32_t *pixels, size_t count, const ck_colour *operations, size_t operation_count) {
    for (const ck_colour *operation = operations; operation < operations + operation_count; operation++) {
        size_t i = 0;
        for (; i + CK_WIDTH <= count; i += CK_WIDTH) {
            ck_viu *at = (ck_viu *)(pixels + i);
            *at = ck_apply(*at, operation);
        }
        if (i < count) ck_store_some(pixels + i, ck_apply(ck_load_some(pixels + i, count - i), operation), count - i);
    }
}

// MARK: other forms of pixels

static void CK_NAME(pixels)(uint32_t *out, const uint8_t *rgb, size_t count) {
    size_t i = 0;
    for (; i + 4 <= count; i += 4) *(ck_u32x4u *)(out + i) = ck_four_pixels(rgb, 3 * i, 3 * count);
    for (; i < count; i++) out[i] = rgb[3 * i] | (uint32_t)rgb[3 * i + 1] << 8 | (uint32_t)rgb[3 * i + 2] << 16;
}

static void CK_NAME(bytes)(uint8_t *out, const uint32_t *pixels, size_t count) {
    size_t i = 0;
    for (; i + 6 <= count; i += 4) {  // stores 16 bytes of which 12 count, so it stops 4 bytes early
        ck_u8x16 p = (ck_u8x16) * (const ck_u32x4u *)(pixels + i);
        *(ck_u32x4u *)(out + 3 * i) =
            (ck_u32x4)__builtin_shufflevector(p, p, 0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 15, 15, 15, 15);
    }
    for (; i < count; i++)
        for (int c = 0; c < 3; c++) out[3 * i + c] = (uint8_t)(pixels[i] >> (8 * c));
}

static void CK_NAME(levels)(float *out, const uint8_t *in, size_t count) {
    size_t i = 0;
    for (; i + CK_WIDTH <= count; i += CK_WIDTH)
        *(ck_vfu *)(out + i) = __builtin_convertvector(*(const ck_vbu *)(in + i), ck_vf) * (1 / 255.0f);
    for (; i < count; i++) out[i] = (float)in[i] * (1 / 255.0f);
}

static void CK_NAME(blur)(float *out, const float *const *rows, size_t width, size_t radius, const float *weight,
                          float *scratch) {
    size_t count = 3 * width, i = 0;
    float *line = scratch + 3 * radius;
    for (; i + CK_WIDTH <= count; i += CK_WIDTH) {
        ck_vf sum = weight[0] * *(const ck_vfu *)(rows[radius] + i);
        for (size_t k = 1; k <= radius; k++)
            sum += weight[k] * (*(const ck_vfu *)(rows[radius - k] + i) + *(const ck_vfu *)(rows[radius + k] + i));
        *(ck_vfu *)(line + i) = sum;
    }
    for (; i < count; i++) {
        line[i] = weight[0] * rows[radius][i];
        for (size_t k = 1; k <= radius; k++) line[i] += weight[k] * (rows[radius - k][i] + rows[radius + k][i]);
    }

    for (size_t k = 1; k <= radius; k++) {
        memcpy(line - 3 * k, line + 3 * ck_reflect(-(ptrdiff_t)k, width), 3 * sizeof(float));
        memcpy(line + count + 3 * (k - 1), line + 3 * ck_reflect((ptrdiff_t)(width + k - 1), width), 3 * sizeof(float));
    }
    for (i = 0; i + CK_WIDTH <= count; i += CK_WIDTH) {
        ck_vf sum = weight[0] * *(const ck_vfu *)(line + i);
        for (size_t k = 1; k <= radius; k++)
            sum += weight[k] * (*(const ck_vfu *)(line + i - 3 * k) + *(const ck_vfu *)(line + i + 3 * k));
        *(ck_vfu *)(out + i) = sum;
    }
    for (; i < count; i++) {
        out[i] = weight[0] * line[i];
        for (size_t k = 1; k <= radius; k++) out[i] += weight[k] * ((line - 3 * k)[i] + (line + 3 * k)[i]);
    }
}

const ck_imaging CK_NAME(ck_imaging) = {CK_NAME(columns), CK_NAME(row),   CK_NAME(luma),   CK_NAME(colour),
                                        CK_NAME(pixels),  CK_NAME(bytes), CK_NAME(levels), CK_NAME(blur)};
