// The direct family's source, compiled once for each instruction set; direct.h says what each function computes.
#include "include/direct.h"
#include "vectors.inc.h"
#include "window.h"
#include <math.h>

#define PANEL (2 * WIDTH)
// Pixels of a block: their sums, two vectors each, stay in registers.
#if CK_WIDTH == 16
#define ROWS ((size_t)8)
#else
#define ROWS ((size_t)6)
#endif
// Blocks that are described at a time and then go through all panels.
#define BLOCKS ((size_t)16)
INLINE size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

static void CK_NAME(pack)(float *to, const float *weight, const float *scale, size_t depth, size_t outputs,
                          size_t first, size_t last) {
    for (size_t panel = first; panel < last; panel++) {
        const vf s0 = load(scale + panel * PANEL), s1 = load(scale + panel * PANEL + WIDTH);
        for (size_t row = 0; row < depth; row++) {
            const float *from = weight + row * outputs + panel * PANEL;
            float *p = to + (panel * depth + row) * PANEL;
            store(p, load(from) * s0);
            store(p + WIDTH, load(from + WIDTH) * s1);
        }
    }
}

// Values that lie beside each other under the windows of all pixels of a block, and their rows of the weight.
typedef struct {
    const float *x[ROWS];
    size_t weight_row, depth;
} run;

typedef struct {
    size_t rows, runs;
    size_t y[ROWS];  // where each pixel's results go, in floats
    run run[CK_DIRECT_TAPS];
} block;

// How blocks are made of pixels: of several pictures, or of neighbours.
typedef struct {
    bool over_pictures;
    size_t pixels, parts;  // a picture's pixels; parts that the pictures or the pixels are cut into, as equal as can be
} blocking;

INLINE blocking blocking_of(const ck_window *w, size_t batch) {
    blocking b = {.pixels = w->out_height * w->out_width};
    b.over_pictures = batch > ROWS / 2 || batch > b.pixels;
    b.parts = ((b.over_pictures ? batch : b.pixels) + ROWS - 1) / ROWS;
    return b;
}

static size_t CK_NAME(blocks)(const ck_window *w, size_t batch) {
    const blocking b = blocking_of(w, batch);
    return b.parts * (b.over_pictures ? b.pixels : batch);
}

// The taps first ..< last of a window along an axis that lie inside the picture, and where the window starts.
typedef struct {
    ptrdiff_t start;
    size_t first, last;
} span;

INLINE span span_of(size_t position, const ck_window *w, size_t kernel, size_t size) {
    span s = {.start = (ptrdiff_t)(position * w->stride) - (ptrdiff_t)w->padding};
    inside(s.start, kernel, size, &s.first, &s.last);
    return s;
}

INLINE bool equal(span a, span b) { return a.first == b.first && a.last == b.last; }

static void describe(block *to, const float *x, const float *zeros, const ck_window *w, size_t batch, size_t outputs,
                     blocking b, size_t index) {
    // The block's first pixel; the others are the same pixel of the next pictures or the next pixels of the picture.
    const size_t part = b.over_pictures ? index / b.pixels : index % b.parts;
    const size_t whole = b.over_pictures ? batch : b.pixels, first = part * whole / b.parts;
    const size_t picture = b.over_pictures ? first : index / b.parts;
    const size_t pixel = b.over_pictures ? index % b.pixels : first;
    to->rows = (part + 1) * whole / b.parts - first;
    const size_t picture_size = w->height * w->width * w->channels, line = w->width * w->channels;
    span down[ROWS], across[ROWS];
    const float *corner[ROWS];  // the window's first tap, which may lie outside
    bool alike = true;          // whether all windows have the same taps inside
    size_t row = pixel / w->out_width, column = pixel % w->out_width;
    for (size_t r = 0; r < to->rows; r++) {
        const size_t n = b.over_pictures ? picture + r : picture, p = b.over_pictures ? pixel : pixel + r;
        to->y[r] = (n * b.pixels + p) * outputs;
        down[r] = span_of(row, w, w->kernel_height, w->height);
        across[r] = span_of(column, w, w->kernel_width, w->width);
        corner[r] = x + n * picture_size + (down[r].start * (ptrdiff_t)line + across[r].start * (ptrdiff_t)w->channels);
        alike = alike && equal(down[r], down[0]) && equal(across[r], across[0]);
        if (!b.over_pictures && ++column == w->out_width) row++, column = 0;
    }
    to->runs = 0;
    if (alike) {
        // A line of taps is one run.
        const size_t start = across[0].first * w->channels, depth = across[0].last * w->channels - start;
        for (size_t ky = down[0].first; ky < down[0].last; ky++) {
            run *run = &to->run[to->runs++];
            run->weight_row = ky * w->kernel_width * w->channels + start;
            run->depth = depth;
            for (size_t r = 0; r < to->rows; r++) run->x[r] = corner[r] + ky * line + start;
        }
        return;
    }
    for (size_t ky = 0; ky < w->kernel_height; ky++) {
        for (size_t kx = 0; kx < w->kernel_width; kx++) {
            run *run = &to->run[to->runs];
            run->weight_row = (ky * w->kernel_width + kx) * w->channels;
            run->depth = w->channels;
            bool used = false;
            for (size_t r = 0; r < to->rows; r++) {
                const bool inside =
                    ky >= down[r].first && ky < down[r].last && kx >= across[r].first && kx < across[r].last;
                run->x[r] = inside ? corner[r] + ky * line + kx * w->channels : zeros;
                used = used || inside;
            }
            to->runs += used;
        }
    }
}

INLINE void multiply(float *y, const block *b, const float *weight, const ck_finish *finish, size_t channel,
                     const size_t rows) {
    vf sums[ROWS][2];
    for (size_t r = 0; r < rows; r++) {
        sums[r][0] = load(finish->bias + channel);
        sums[r][1] = load(finish->bias + channel + WIDTH);
    }
    for (size_t index = 0; index < b->runs; index++) {
        const run *run = &b->run[index];
        const float *x[ROWS], *p = weight + run->weight_row * PANEL;
        for (size_t r = 0; r < rows; r++) x[r] = run->x[r];
#pragma unroll 4
        for (size_t i = 0; i < run->depth; i++, p += PANEL) {
            const vf w0 = load(p), w1 = load(p + WIDTH);
            for (size_t r = 0; r < rows; r++) {
                const vf v = splat(x[r][i]);
                sums[r][0] += v * w0;
                sums[r][1] += v * w1;
            }
        }
    }
    for (size_t r = 0; r < rows; r++) {
        for (size_t half = 0; half < 2; half++) {
            const size_t at = b->y[r] + channel + half * WIDTH;
            vf v = sums[r][half];
            if (finish->residual) v += load(finish->residual + at);
            if (finish->rectifies) v = (vf)((ck_vi)v & ~(v < 0));
            store(y + at, v);
        }
    }
}

static void CK_NAME(convolve)(float *y, const float *x, const float *weight, const float *zeros, const ck_window *w,
                              size_t batch, size_t outputs, size_t first, size_t last, size_t panel, size_t panel_end,
                              const ck_finish *finish) {
    const size_t depth = w->kernel_height * w->kernel_width * w->channels;
    const blocking blocking = blocking_of(w, batch);
    block blocks[BLOCKS];
    for (; first < last; first += BLOCKS) {
        const size_t count = smaller(BLOCKS, last - first);
        for (size_t i = 0; i < count; i++) describe(&blocks[i], x, zeros, w, batch, outputs, blocking, first + i);
        for (size_t p = panel; p < panel_end; p++) {
            const float *from = weight + p * depth * PANEL;
            for (size_t i = 0; i < count; i++) {
                const block *b = &blocks[i];
#define ROW_COUNT(n) \
    case n: multiply(y, b, from, finish, p * PANEL, n); break
                switch (b->rows) {
                    ROW_COUNT(1);
                    ROW_COUNT(2);
                    ROW_COUNT(3);
                    ROW_COUNT(4);
                    ROW_COUNT(5);
                    ROW_COUNT(6);
#if CK_WIDTH == 16
                    ROW_COUNT(7);
                    ROW_COUNT(8);
#endif
                }
#undef ROW_COUNT
            }
        }
    }
}

static void CK_NAME(largest)(float *y, const float *x, const ck_window *w, size_t first, size_t last) {
    const size_t channels = w->channels;
    y += first * w->out_width * channels;
    for (size_t oy = first; oy < last; oy++) {
        const span down = span_of(oy, w, w->kernel_height, w->height);
        for (size_t ox = 0; ox < w->out_width; ox++, y += channels) {
            const span across = span_of(ox, w, w->kernel_width, w->width);
            for (size_t c = 0; c < channels; c += WIDTH) {
                vf best = splat(-INFINITY);
                for (size_t ky = down.first; ky < down.last; ky++) {
                    for (size_t kx = across.first; kx < across.last; kx++) {
                        const ptrdiff_t row = down.start + (ptrdiff_t)ky, column = across.start + (ptrdiff_t)kx;
                        const vf v = load(x + ((size_t)row * w->width + (size_t)column) * channels + c);
                        const ck_vi wins = v > best;
                        best = (vf)(((ck_vi)v & wins) | ((ck_vi)best & ~wins));
                    }
                }
                store(y + c, best);
            }
        }
    }
}

const ck_direct_kernels CK_NAME(ck_direct) = {
    .panel = PANEL,
    .pack = CK_NAME(pack),
    .blocks = CK_NAME(blocks),
    .convolve = CK_NAME(convolve),
    .largest = CK_NAME(largest),
};
