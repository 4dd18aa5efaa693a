// The network family's source, compiled once for each instruction set; network.h says what each function computes.
//
// Vectors run along channels. What is left over after the last whole vector goes through the same code with plain floats.
#include "include/network.h"
#include <math.h>
#include <string.h>

typedef ck_vf vf;
#define WIDTH ((size_t)CK_WIDTH)
// Vectors that a reduction keeps in registers at once.
#define LANES 4

static inline vf load(const float *p) { return *(const ck_vfu *)p; }
static inline void store(float *p, vf v) { *(ck_vfu *)p = v; }
static inline vf splat(float x) { return x - (vf){}; }
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

static inline __attribute__((always_inline)) void reduce_lanes(float *d, const float *activation, const float *x,
                                                               size_t rows, size_t stride, const float *mean,
                                                               double *sum, double *product, const size_t lanes,
                                                               const int masks) {
    vf s[LANES] = {}, p[LANES] = {};
    for (size_t r = 0; r < rows; r++) {
        for (size_t l = 0; l < lanes; l++) {
            const size_t i = r * stride + l * WIDTH;
            vf g = load(d + i);
            if (masks) {
                g = where_positive(load(activation + i), g);
                store(d + i, g);
            }
            s[l] += g;
            p[l] += g * (load(x + i) - load(mean + l * WIDTH));
        }
    }
    for (size_t l = 0; l < lanes; l++) {
        add_lanes(sum + l * WIDTH, s[l]);
        add_lanes(product + l * WIDTH, p[l]);
    }
}

static inline __attribute__((always_inline)) void reduce(float *d, const float *activation, const float *x, size_t rows,
                                                         size_t channels, const float *mean, double *sum,
                                                         double *product, const int masks) {
    const size_t block = rows_a_block(channels);
    for (size_t first = 0; first < rows; first += block) {
        const size_t n = rows - first < block ? rows - first : block, start = first * channels;
        size_t c = 0;
        for (; c + LANES * WIDTH <= channels; c += LANES * WIDTH)
            reduce_lanes(d + start + c, activation + (masks ? start + c : 0), x + start + c, n, channels, mean + c,
                         sum + c, product + c, LANES, masks);
        for (; c + WIDTH <= channels; c += WIDTH)
            reduce_lanes(d + start + c, activation + (masks ? start + c : 0), x + start + c, n, channels, mean + c,
                         sum + c, product + c, 1, masks);
        for (; c < channels; c++) {
            for (size_t r = 0; r < n; r++) {
                const size_t i = start + r * channels + c;
                if (masks && !(activation[i] > 0)) d[i] = 0;
                sum[c] += d[i];
                product[c] += (double)d[i] * (x[i] - mean[c]);
            }
        }
    }
}

static void CK_NAME(mask_and_reduce)(float *d, const float *activation, const float *x, size_t rows, size_t channels,
                                     const float *mean, double *sum, double *product) {
    if (activation)
        reduce(d, activation, x, rows, channels, mean, sum, product, 1);
    else
        reduce(d, d, x, rows, channels, mean, sum, product, 0);
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

// The taps first ..< last of a window that starts at `start` and fall inside 0 ..< size.
static inline void inside(ptrdiff_t start, size_t kernel, size_t size, size_t *first, size_t *last) {
    const ptrdiff_t end = (ptrdiff_t)size - start;
    *first = start < 0 ? (size_t)-start : 0;
    *last = end < 0 ? 0 : end < (ptrdiff_t)kernel ? (size_t)end : kernel;
    if (*first > *last) *first = *last;
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

static void CK_NAME(max_pool)(float *y, uint8_t *index, const float *x, const ck_window *w, const float *scale,
                              const float *shift) {
    const size_t channels = w->channels;
    for (size_t oy = 0; oy < w->out_height; oy++) {
        for (size_t ox = 0; ox < w->out_width; ox++, y += channels, index += channels) {
            const position p = position_at(w, oy * w->out_width + ox);
            size_t c = 0;
            for (; c + WIDTH <= channels; c += WIDTH) {
                vf best = splat(-INFINITY);
                ck_vi at = {};
                for (size_t ky = p.ky0; ky < p.ky1; ky++) {
                    for (size_t kx = p.kx0; kx < p.kx1; kx++) {
                        vf v = load(x + offset_of(w, p, ky, kx) + c);
                        if (scale) v = at_least(v * load(scale + c) + load(shift + c), splat(0));
                        const ck_vi wins = v > best;
                        const ck_vi here = (int32_t)(ky * w->kernel_width + kx) - (ck_vi){};
                        best = choose(wins, v, best);
                        at = (at & ~wins) | (here & wins);
                    }
                }
                store(y + c, best);
                for (size_t i = 0; i < WIDTH; i++) index[c + i] = (uint8_t)at[i];
            }
            for (; c < channels; c++) {
                float best = -INFINITY;
                size_t at = 0;
                for (size_t ky = p.ky0; ky < p.ky1; ky++) {
                    for (size_t kx = p.kx0; kx < p.kx1; kx++) {
                        float v = x[offset_of(w, p, ky, kx) + c];
                        if (scale) {
                            v = v * scale[c] + shift[c];
                            v = v < 0 ? 0 : v;
                        }
                        if (v > best) {
                            best = v;
                            at = ky * w->kernel_width + kx;
                        }
                    }
                }
                y[c] = best;
                index[c] = (uint8_t)at;
            }
        }
    }
}

static void CK_NAME(max_pool_backward)(float *dx, const float *dy, const uint8_t *index, const ck_window *w) {
    const size_t channels = w->channels;
    memset(dx, 0, w->height * w->width * channels * sizeof(float));
    for (size_t oy = 0; oy < w->out_height; oy++) {
        for (size_t ox = 0; ox < w->out_width; ox++, dy += channels, index += channels) {
            const position p = position_at(w, oy * w->out_width + ox);
            for (size_t ky = p.ky0; ky < p.ky1; ky++) {
                for (size_t kx = p.kx0; kx < p.kx1; kx++) {
                    float *to = dx + offset_of(w, p, ky, kx);
                    const uint8_t here = (uint8_t)(ky * w->kernel_width + kx);
                    // Branch-free, so that the compiler makes vectors of it.
                    for (size_t c = 0; c < channels; c++) to[c] += index[c] == here ? dy[c] : 0;
                }
            }
        }
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
