// The network family's source, compiled once for each instruction set; network.h says what each function computes.
//
// Vectors run along channels. What is left over after the last whole vector goes through the same code with plain floats.
#include "include/network.h"
#include "vectors.inc.h"
#include "window.h"
#include <math.h>
#include <stdbool.h>
#include <string.h>

// Vectors that a reduction keeps in registers at once.
#define LANES 4

// a where chosen (all bits set), else b.
static inline vf choose(ck_vi chosen, vf a, vf b) { return (vf)(((ck_vi)a & chosen) | ((ck_vi)b & ~chosen)); }
// No less than `least`; what is not a number stays so, that it may be seen in the losses.
static inline vf at_least(vf x, vf least) { return choose(x < least, least, x); }
// x where activation > 0, else 0.
static inline vf where_positive(vf activation, vf x) { return (vf)((ck_vi)x & (activation > 0)); }

// Rows that a reduction sums in float before it goes on in double: few enough to stay in L1 and to keep the float exact
// to about a unit in the last place of the total.
static inline size_t rows_a_block(size_t channels) { return channels >= 1024 ? 8 : 8192 / channels; }

static inline void add_lanes(double *sum, vf v) {
    for (size_t i = 0; i < WIDTH; i++) sum[i] += v[i];
}

static inline __attribute__((always_inline)) void statistics_lanes(const float *x, size_t rows, size_t stride,
                                                                   const float *origin, double *sum, double *squares,
                                                                   const size_t lanes) {
    vf s[LANES] = {}, q[LANES] = {};
    for (size_t r = 0; r < rows; r++, x += stride) {
        for (size_t l = 0; l < lanes; l++) {
            vf v = load(x + l * WIDTH) - load(origin + l * WIDTH);
            s[l] += v;
            q[l] += v * v;
        }
    }
    for (size_t l = 0; l < lanes; l++) {
        add_lanes(sum + l * WIDTH, s[l]);
        add_lanes(squares + l * WIDTH, q[l]);
    }
}

static void CK_NAME(statistics)(const float *x, size_t rows, size_t channels, const float *origin, double *sum,
                                double *squares) {
    const size_t block = rows_a_block(channels);
    for (size_t first = 0; first < rows; first += block, x += block * channels) {
        const size_t n = rows - first < block ? rows - first : block;
        size_t c = 0;
        for (; c + LANES * WIDTH <= channels; c += LANES * WIDTH)
            statistics_lanes(x + c, n, channels, origin + c, sum + c, squares + c, LANES);
        for (; c + WIDTH <= channels; c += WIDTH)
            statistics_lanes(x + c, n, channels, origin + c, sum + c, squares + c, 1);
        for (; c < channels; c++) {
            for (size_t r = 0; r < n; r++) {
                const double v = x[r * channels + c] - origin[c];
                sum[c] += v;
                squares[c] += v * v;
            }
        }
    }
}

static void CK_NAME(affine)(float *y, const float *x, size_t rows, size_t channels, const float *scale,
                            const float *shift, float least) {
    const vf floor = splat(least);
    for (size_t r = 0; r < rows; r++, x += channels, y += channels) {
        size_t c = 0;
        for (; c + WIDTH <= channels; c += WIDTH)
            store(y + c, at_least(load(x + c) * load(scale + c) + load(shift + c), floor));
        for (; c < channels; c++) {
            const float v = x[c] * scale[c] + shift[c];
            y[c] = v < least ? least : v;
        }
    }
}

static void CK_NAME(affine_add_relu)(float *y, const float *x, size_t rows, size_t channels, const float *scale,
                                     const float *shift, const float *r, const float *r_scale, const float *r_shift) {
    for (size_t row = 0; row < rows; row++, x += channels, y += channels, r += channels) {
        size_t c = 0;
        for (; c + WIDTH <= channels; c += WIDTH) {
            vf v = load(x + c) * load(scale + c) + load(shift + c);
            v += r_scale ? load(r + c) * load(r_scale + c) + load(r_shift + c) : load(r + c);
            store(y + c, at_least(v, splat(0)));
        }
        for (; c < channels; c++) {
            const float v = x[c] * scale[c] + shift[c] + (r_scale ? r[c] * r_scale[c] + r_shift[c] : r[c]);
            y[c] = v < 0 ? 0 : v;
        }
    }
}

// Whether a reduction masks, and by what its ReLU got.
enum mask { NO_MASK, BY_VALUE, BY_SUM, BY_SCALED_SUM };

// Channels c of what a ReLU got, x being there already and r + i the other summand.
static inline __attribute__((always_inline)) vf before_relu(vf x, const ck_relu *relu, size_t i, size_t c,
                                                            const enum mask mask) {
    vf v = x * load(relu->scale + c) + load(relu->shift + c);
    if (mask == BY_SUM) v += load(relu->r + i);
    if (mask == BY_SCALED_SUM) v += load(relu->r + i) * load(relu->r_scale + c) + load(relu->r_shift + c);
    return v;
}

static inline __attribute__((always_inline)) void reduce_lanes(float *d, const ck_relu *relu, const float *x,
                                                               size_t first, size_t rows, size_t channels, size_t c,
                                                               const float *mean, double *sum, double *product,
                                                               const size_t lanes, const enum mask mask) {
    vf s[LANES] = {}, p[LANES] = {};
    for (size_t r = first; r < first + rows; r++) {
        for (size_t l = 0; l < lanes; l++) {
            const size_t channel = c + l * WIDTH, i = r * channels + channel;
            const vf value = load(x + i);
            vf g = load(d + i);
            if (mask != NO_MASK) {
                g = where_positive(before_relu(value, relu, i, channel, mask), g);
                store(d + i, g);
            }
            s[l] += g;
            p[l] += g * (value - load(mean + channel));
        }
    }
    for (size_t l = 0; l < lanes; l++) {
        add_lanes(sum + c + l * WIDTH, s[l]);
        add_lanes(product + c + l * WIDTH, p[l]);
    }
}

static inline __attribute__((always_inline)) void reduce(float *d, const ck_relu *relu, const float *x, size_t rows,
                                                         size_t channels, const float *mean, double *sum,
                                                         double *product, const enum mask mask) {
    const size_t block = rows_a_block(channels);
    for (size_t first = 0; first < rows; first += block) {
        const size_t n = rows - first < block ? rows - first : block;
        size_t c = 0;
        for (; c + LANES * WIDTH <= channels; c += LANES * WIDTH)
            reduce_lanes(d, relu, x, first, n, channels, c, mean, sum, product, LANES, mask);
        for (; c + WIDTH <= channels; c += WIDTH)
            reduce_lanes(d, relu, x, first, n, channels, c, mean, sum, product, 1, mask);
        for (; c < channels; c++) {
            for (size_t r = first; r < first + n; r++) {
                const size_t i = r * channels + c;
                if (mask != NO_MASK) {
                    float v = x[i] * relu->scale[c] + relu->shift[c];
                    if (mask == BY_SUM) v += relu->r[i];
                    if (mask == BY_SCALED_SUM) v += relu->r[i] * relu->r_scale[c] + relu->r_shift[c];
                    if (!(v > 0)) d[i] = 0;
                }
                sum[c] += d[i];
                product[c] += (double)d[i] * (x[i] - mean[c]);
            }
        }
    }
}

static void CK_NAME(mask_and_reduce)(float *d, const ck_relu *relu, const float *x, size_t rows, size_t channels,
                                     const float *mean, double *sum, double *product) {
    if (!relu)
        reduce(d, relu, x, rows, channels, mean, sum, product, NO_MASK);
    else if (!relu->r)
        reduce(d, relu, x, rows, channels, mean, sum, product, BY_VALUE);
    else if (!relu->r_scale)
        reduce(d, relu, x, rows, channels, mean, sum, product, BY_SUM);
    else
        reduce(d, relu, x, rows, channels, mean, sum, product, BY_SCALED_SUM);
}

static void CK_NAME(normalize_backward)(float *dx, const float *d, const float *x, size_t rows, size_t channels,
                                        const float *a, const float *b, const float *mean, const float *c) {
    for (size_t r = 0; r < rows; r++, dx += channels, d += channels, x += channels) {
        size_t i = 0;
        for (; i + WIDTH <= channels; i += WIDTH)
            store(dx + i, load(a + i) * load(d + i) + (load(b + i) * (load(x + i) - load(mean + i)) + load(c + i)));
        for (; i < channels; i++) dx[i] = a[i] * d[i] + (b[i] * (x[i] - mean[i]) + c[i]);
    }
}

// The window at an output pixel: where it starts in the picture, and which of its taps lie inside.
typedef struct {
    ptrdiff_t y, x;
    size_t ky0, ky1, kx0, kx1;
} position;

static inline position position_at(const ck_window *w, size_t pixel) {
    position p;
    p.y = (ptrdiff_t)(pixel / w->out_width * w->stride) - (ptrdiff_t)w->padding;
    p.x = (ptrdiff_t)(pixel % w->out_width * w->stride) - (ptrdiff_t)w->padding;
    inside(p.y, w->kernel_height, w->height, &p.ky0, &p.ky1);
    inside(p.x, w->kernel_width, w->width, &p.kx0, &p.kx1);
    return p;
}

// Where the input pixel under a tap lies, in floats from the start of the picture.
static inline size_t offset_of(const ck_window *w, position p, size_t ky, size_t kx) {
    return ((size_t)(p.y + (ptrdiff_t)ky) * w->width + (size_t)(p.x + (ptrdiff_t)kx)) * w->channels;
}

static void CK_NAME(gather)(float *to, const float *x, const ck_window *w, size_t first, size_t rows) {
    const size_t channels = w->channels, line = w->kernel_width * channels;
    for (size_t row = first; row < first + rows; row++) {
        const position p = position_at(w, row);
        for (size_t ky = 0; ky < w->kernel_height; ky++, to += line) {
            if (ky < p.ky0 || ky >= p.ky1 || p.kx0 == p.kx1) {
                memset(to, 0, line * sizeof(float));
                continue;
            }
            memset(to, 0, p.kx0 * channels * sizeof(float));
            memcpy(to + p.kx0 * channels, x + offset_of(w, p, ky, p.kx0), (p.kx1 - p.kx0) * channels * sizeof(float));
            memset(to + p.kx1 * channels, 0, (w->kernel_width - p.kx1) * channels * sizeof(float));
        }
    }
}

static void CK_NAME(add)(float *y, const float *x, size_t count) {
    size_t i = 0;
    for (; i + WIDTH <= count; i += WIDTH) store(y + i, load(y + i) + load(x + i));
    for (; i < count; i++) y[i] += x[i];
}

static void CK_NAME(scatter_add)(float *dx, const float *from, const ck_window *w, size_t first, size_t rows) {
    const size_t channels = w->channels, line = w->kernel_width * channels;
    for (size_t row = first; row < first + rows; row++) {
        const position p = position_at(w, row);
        for (size_t ky = 0; ky < w->kernel_height; ky++, from += line) {
            if (ky < p.ky0 || ky >= p.ky1 || p.kx0 == p.kx1) continue;
            CK_NAME(add)(dx + offset_of(w, p, ky, p.kx0), from + p.kx0 * channels, (p.kx1 - p.kx0) * channels);
        }
    }
}

// A tap's value wins unless it is no larger; so does any against what is not a number.
static inline __attribute__((always_inline)) void pool(float *y, uint8_t *index, const float *x, const ck_window *w,
                                                       const float *scale, const float *shift, const bool rectifies,
                                                       const bool indexes) {
    const size_t channels = w->channels;
    for (size_t pixel = 0; pixel < w->out_height * w->out_width; pixel++, y += channels) {
        const position p = position_at(w, pixel);
        size_t c = 0;
        for (; c + WIDTH <= channels; c += WIDTH) {
            vf best = splat(NAN);
            ck_vi at = {};
            for (size_t ky = p.ky0; ky < p.ky1; ky++) {
                for (size_t kx = p.kx0; kx < p.kx1; kx++) {
                    vf v = load(x + offset_of(w, p, ky, kx) + c);
                    if (rectifies) v = v * load(scale + c) + load(shift + c);
                    const ck_vi loses = v <= best;
                    const ck_vi here = (int32_t)(ky * w->kernel_width + kx) - (ck_vi){};
                    best = choose(loses, best, v);
                    if (indexes) at = (at & loses) | (here & ~loses);
                }
            }
            if (indexes && rectifies) at |= ~(best > 0);
            store(y + c, rectifies ? at_least(best, splat(0)) : best);
            if (indexes) *(ck_vbu *)(index + pixel * channels + c) = __builtin_convertvector(at, ck_vbu);
        }
        for (; c < channels; c++) {
            float best = NAN;
            uint8_t at = 0;
            for (size_t ky = p.ky0; ky < p.ky1; ky++) {
                for (size_t kx = p.kx0; kx < p.kx1; kx++) {
                    float v = x[offset_of(w, p, ky, kx) + c];
                    if (rectifies) v = v * scale[c] + shift[c];
                    if (v <= best) continue;
                    best = v;
                    at = (uint8_t)(ky * w->kernel_width + kx);
                }
            }
            y[c] = rectifies && best < 0 ? 0 : best;
            if (indexes) index[pixel * channels + c] = rectifies && !(best > 0) ? CK_NOWHERE : at;
        }
    }
}

static void CK_NAME(max_pool)(float *y, uint8_t *index, const float *x, const ck_window *w, const float *scale,
                              const float *shift) {
    if (scale && index)
        pool(y, index, x, w, scale, shift, true, true);
    else if (scale)
        pool(y, index, x, w, scale, shift, true, false);
    else if (index)
        pool(y, index, x, w, scale, shift, false, true);
    else
        pool(y, index, x, w, scale, shift, false, false);
}

// The windows first ..< last along an axis that have pixel `at` under a tap.
static inline void windows_over(size_t at, const ck_window *w, size_t kernel, size_t windows, size_t *first,
                                size_t *last) {
    const size_t padded = at + w->padding, end = padded / w->stride + 1;
    *first = padded < kernel ? 0 : (padded - kernel) / w->stride + 1;
    *last = end < windows ? end : windows;
}

// dx (+)= dy where the index is `here`.
static inline __attribute__((always_inline)) void pick(float *dx, const float *dy, const uint8_t *index, size_t channels,
                                                       uint8_t here, const bool adds) {
    const ck_vi tap = here - (ck_vi){};
    size_t c = 0;
    for (; c + WIDTH <= channels; c += WIDTH) {
        const ck_vi at = __builtin_convertvector(*(const ck_vbu *)(index + c), ck_vi);
        const vf picked = (vf)((ck_vi)load(dy + c) & (at == tap));
        store(dx + c, adds ? load(dx + c) + picked : picked);
    }
    for (; c < channels; c++) dx[c] = (adds ? dx[c] : 0) + (index[c] == here ? dy[c] : 0);
}

static void CK_NAME(max_pool_backward)(float *dx, const float *dy, const uint8_t *index, const ck_window *w,
                                       size_t first, size_t rows) {
    const size_t channels = w->channels;
    for (size_t row = first; row < first + rows; row++, dx += channels) {
        const size_t y = row / w->width, x = row % w->width;
        size_t oy0, oy1, ox0, ox1;
        windows_over(y, w, w->kernel_height, w->out_height, &oy0, &oy1);
        windows_over(x, w, w->kernel_width, w->out_width, &ox0, &ox1);
        bool adds = false;
        for (size_t oy = oy0; oy < oy1; oy++) {
            for (size_t ox = ox0; ox < ox1; ox++) {
                const size_t ky = y + w->padding - oy * w->stride, kx = x + w->padding - ox * w->stride;
                const size_t i = (oy * w->out_width + ox) * channels;
                const uint8_t here = (uint8_t)(ky * w->kernel_width + kx);
                if (adds)
                    pick(dx, dy + i, index + i, channels, here, true);
                else
                    pick(dx, dy + i, index + i, channels, here, false);
                adds = true;
            }
        }
        if (!adds) memset(dx, 0, channels * sizeof(float));
    }
}

static void CK_NAME(mean_rows)(float *y, const float *x, size_t rows, size_t channels) {
    const float factor = 1.0f / (float)rows;
    size_t c = 0;
    for (; c + WIDTH <= channels; c += WIDTH) {
        vf sum = splat(0);
        for (size_t r = 0; r < rows; r++) sum += load(x + r * channels + c);
        store(y + c, sum * splat(factor));
    }
    for (; c < channels; c++) {
        float sum = 0;
        for (size_t r = 0; r < rows; r++) sum += x[r * channels + c];
        y[c] = sum * factor;
    }
}

static void CK_NAME(relu_backward)(float *d, const float *activation, size_t count) {
    size_t i = 0;
    for (; i + WIDTH <= count; i += WIDTH) store(d + i, where_positive(load(activation + i), load(d + i)));
    for (; i < count; i++)
        if (!(activation[i] > 0)) d[i] = 0;
}

static void CK_NAME(adam)(float *w, float *m, float *v, const float *g, size_t count, float rate, float beta1,
                          float beta2, float epsilon, float root_correction) {
    size_t i = 0;
    for (; i + WIDTH <= count; i += WIDTH) {
        const vf gradient = load(g + i);
        const vf first = beta1 * load(m + i) + (1 - beta1) * gradient;
        const vf second = beta2 * load(v + i) + (1 - beta2) * gradient * gradient;
        store(m + i, first);
        store(v + i, second);
        store(w + i, load(w + i) - rate * first / (__builtin_elementwise_sqrt(second) * root_correction + epsilon));
    }
    for (; i < count; i++) {
        m[i] = beta1 * m[i] + (1 - beta1) * g[i];
        v[i] = beta2 * v[i] + (1 - beta2) * g[i] * g[i];
        w[i] -= rate * m[i] / (sqrtf(v[i]) * root_correction + epsilon);
    }
}

const ck_network_kernels CK_NAME(ck_network) = {
    .statistics = CK_NAME(statistics),
    .affine = CK_NAME(affine),
    .affine_add_relu = CK_NAME(affine_add_relu),
    .mask_and_reduce = CK_NAME(mask_and_reduce),
    .normalize_backward = CK_NAME(normalize_backward),
    .gather = CK_NAME(gather),
    .scatter_add = CK_NAME(scatter_add),
    .max_pool = CK_NAME(max_pool),
    .max_pool_backward = CK_NAME(max_pool_backward),
    .mean_rows = CK_NAME(mean_rows),
    .add = CK_NAME(add),
    .relu_backward = CK_NAME(relu_backward),
    .adam = CK_NAME(adam),
};
