// The imaging functions one pixel at a time: the reference for the vectorised ones.
#include "imaging_tables.h"
#include <math.h>

static inline int channel(uint32_t pixel, int c) { return (int)(pixel >> (8 * c)) & 255; }
static inline int clamp(int x) { return x < 0 ? 0 : x > 255 ? 255 : x; }
static inline uint32_t pack(int r, int g, int b) { return (uint32_t)r | (uint32_t)g << 8 | (uint32_t)b << 16; }
static inline int luma(uint32_t p) {
    return (19595 * channel(p, 0) + 38470 * channel(p, 1) + 7471 * channel(p, 2) + 32768) >> 16;
}

static void columns(uint32_t *out, const uint8_t *rgb, size_t offset, size_t stride, size_t end, size_t rows,
                    const ck_resampling *x, bool mirrored, void *scratch) {
    for (size_t i = 0; i < rows; i++)
        for (size_t o = 0; o < x->count; o++) {
            const uint8_t *in = rgb + offset + i * stride + 3 * x->first[o];
            float sum[3] = {0.5f, 0.5f, 0.5f};
            for (size_t t = 0; t < x->taps; t++)
                for (int c = 0; c < 3; c++) sum[c] += x->weight[o * x->taps + t] * in[3 * t + c];
            out[i * x->count + (mirrored ? x->count - 1 - o : o)] = pack((int)sum[0], (int)sum[1], (int)sum[2]);
        }
}

static inline uint32_t get(const float *line, size_t stride, size_t i) {
    return pack((int)line[i], (int)line[stride + i], (int)line[2 * stride + i]);
}
static inline void put(float *line, size_t stride, size_t i, uint32_t pixel) {
    for (int c = 0; c < 3; c++) line[c * stride + i] = (float)channel(pixel, c);
}

static void row(float *line, size_t stride, const uint32_t *in, size_t width, size_t taps, const float *weight) {
    for (size_t i = 0; i < stride; i++) {
        float sum[3] = {0.5f, 0.5f, 0.5f};
        for (size_t t = 0; t < taps && i < width; t++)
            for (int c = 0; c < 3; c++) sum[c] += weight[t] * channel(in[t * width + i], c);
        for (int c = 0; c < 3; c++) line[c * stride + i] = floorf(sum[c]);
    }
}

static uint64_t luma_sum(const float *line, size_t stride, size_t width) {
    uint64_t sum = 0;
    for (size_t i = 0; i < width; i++) sum += luma(get(line, stride, i));
    return sum;
}

// Pillow's Image.blend: from `from` (factor 0) to `to` (factor 1) and beyond, cut to a whole level.
static int blend(int from, int to, float factor) {
#pragma clang fp contract(off)
    return clamp((int)((float)from + factor * (float)(to - from)));
}

// Through Pillow's 8-bit HSV (Convert.c, rgb2hsv and hsv2rgb).
static uint32_t turn_hue(uint32_t pixel, int shift) {
    int r = channel(pixel, 0), g = channel(pixel, 1), b = channel(pixel, 2);
    int most = r > g ? r : g, least = r < g ? r : g;
    if (b > most) most = b;
    if (b < least) least = b;
    if (most == least) return pixel;
    float chroma = (float)(most - least), s = chroma / (float)most;
    float rc = (float)(most - r) / chroma, gc = (float)(most - g) / chroma, bc = (float)(most - b) / chroma;
    float h = r == most ? bc - gc : g == most ? (float)(2.0 + rc - bc) : (float)(4.0 + gc - rc);
    h = (float)fmod(h / 6.0 + 1.0, 1.0);
    int hue = ((int)(h * 255.0) + shift) & 255, saturation = (int)(s * 255.0);

    double sixth = floor(hue * 6 / 255.0), f = hue * 6 / 255.0 - sixth, fs = saturation / 255.0;
    int v = most, p = (int)round(v * (1 - fs)), q = (int)round(v * (1 - fs * f)), t = (int)round(v * (1 - fs * (1 - f)));
    switch ((int)sixth % 6) {
    case 0: return pack(v, t, p);
    case 1: return pack(q, v, p);
    case 2: return pack(p, v, t);
    case 3: return pack(p, q, v);
    case 4: return pack(t, p, v);
    default: return pack(v, p, q);
    }
}

static uint32_t apply(uint32_t pixel, const ck_colour *operation) {
    int from[3] = {0, 0, 0}, grey = luma(pixel);
    switch (operation->kind) {
    case CK_HUE:
        return turn_hue(pixel, operation->level);
    case CK_GREYSCALE:
        return pack(grey, grey, grey);
    case CK_BRIGHTNESS:
        break;
    case CK_CONTRAST:
        from[0] = from[1] = from[2] = operation->level;
        break;
    case CK_SATURATION:
        from[0] = from[1] = from[2] = grey;
        break;
    }
    int to[3];
    for (int c = 0; c < 3; c++) to[c] = blend(from[c], channel(pixel, c), operation->factor);
    return pack(to[0], to[1], to[2]);
}

static void colour(float *line, size_t stride, const ck_colour *operations, size_t operation_count) {
    for (size_t i = 0; i < stride; i++)
        for (size_t o = 0; o < operation_count; o++) put(line, stride, i, apply(get(line, stride, i), &operations[o]));
}

static void filter(float *out, const float *const *in, size_t count, size_t radius, const float *weight) {
    ptrdiff_t r = (ptrdiff_t)radius;
    for (size_t i = 0; i < count; i++) {
        out[i] = 0;
        for (ptrdiff_t k = -r; k <= r; k++) out[i] += weight[k < 0 ? -k : k] * in[r + k][i];
    }
}

static void pixels(uint32_t *out, const uint8_t *rgb, size_t count) {
    for (size_t i = 0; i < count; i++) out[i] = pack(rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2]);
}

static void pack_line(uint32_t *out, const float *line, size_t stride) {
    for (size_t i = 0; i < stride; i++) out[i] = get(line, stride, i);
}

static void unpack_line(float *line, size_t stride, const uint32_t *in) {
    for (size_t i = 0; i < stride; i++) put(line, stride, i, in[i]);
}

static void bytes(uint8_t *out, const float *line, size_t stride, size_t width) {
    for (size_t i = 0; i < 3 * width; i++) out[i] = (uint8_t)line[i % 3 * stride + i / 3];
}

static void levels(float *out, const float *line, size_t stride, size_t width) {
    for (size_t i = 0; i < 3 * width; i++) out[i] = line[i % 3 * stride + i / 3] * (1 / 255.0f);
}

const ck_imaging *ck_imaging_plain(void) {
    static const ck_imaging table = {columns, row,       luma_sum,    colour, filter,
                                     pixels,  pack_line, unpack_line, bytes,  levels};
    return &table;
}
