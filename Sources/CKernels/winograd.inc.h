// The Winograd family's source, compiled once for each instruction set; winograd.h says what each function computes.
//
// Vectors run along channels; a panel is two vectors wide, and a product keeps ROWS x 2 sums in registers.
#include "include/winograd.h"
#include "vectors.inc.h"

#define PANEL (2 * WIDTH)
#if CK_WIDTH == 16
#define ROWS 12
#else
#define ROWS 6
#endif

// One-dimensional transforms of Lavin and Gray, section 4.3, for the points 0, 1, -1, 2, -2 and infinity.

// y = B^T d
INLINE void input_line(vf y[6], const vf d[6]) {
    const vf a = d[4] - 4 * d[2], b = d[3] - 4 * d[1], c = d[4] - d[2], e = 2 * (d[3] - d[1]);
    y[0] = 4 * d[0] - 5 * d[2] + d[4];
    y[1] = a + b;
    y[2] = a - b;
    y[3] = c + e;
    y[4] = c - e;
    y[5] = 4 * d[1] - 5 * d[3] + d[5];
}

// y = A^T m
INLINE void output_line(vf y[4], const vf m[6]) {
    const vf a = m[1] + m[2], b = m[1] - m[2], c = m[3] + m[4], d = m[3] - m[4];
    y[0] = m[0] + a + c;
    y[1] = b + 2 * d;
    y[2] = a + 4 * c;
    y[3] = b + 8 * d + m[5];
}

// z = A y
INLINE void gradient_line(vf z[6], const vf y[4]) {
    const vf a = y[0] + y[2], b = y[1] + y[3], c = y[0] + 4 * y[2], d = 2 * y[1] + 8 * y[3];
    z[0] = y[0];
    z[1] = a + b;
    z[2] = a - b;
    z[3] = c + d;
    z[4] = c - d;
    z[5] = y[3];
}

// u = G g
INLINE void weight_line(vf u[6], const vf g[3]) {
    const vf a = (g[0] + g[2]) * (-1.0f / 6), b = g[1] * (1.0f / 6);
    const vf c = g[0] * (1.0f / 24) + g[2] * (1.0f / 6), d = g[1] * (1.0f / 12);
    u[0] = g[0] * 0.25f;
    u[1] = a - b;
    u[2] = a + b;
    u[3] = c + d;
    u[4] = c - d;
    u[5] = g[2];
}

// g = G^T u
INLINE void weight_gradient_line(vf g[3], const vf u[6]) {
    const vf a = u[1] + u[2], b = u[1] - u[2], c = u[3] + u[4], d = u[3] - u[4];
    g[0] = u[0] * 0.25f - a * (1.0f / 6) + c * (1.0f / 24);
    g[1] = d * (1.0f / 12) - b * (1.0f / 6);
    g[2] = u[5] + (c - a) * (1.0f / 6);
}

INLINE void transform_weight(float *to, const vf g[9], size_t distance) {
    vf columns[3][6];
    for (size_t j = 0; j < 3; j++) weight_line(columns[j], (const vf[3]){g[j], g[3 + j], g[6 + j]});
    for (size_t i = 0; i < 6; i++) {
        vf u[6];
        weight_line(u, (const vf[3]){columns[0][i], columns[1][i], columns[2][i]});
        for (size_t j = 0; j < 6; j++) store(to + (i * 6 + j) * distance, u[j]);
    }
}

// A step of a transposition: exchanges the lanes of a whose number has the bit `step` with those of b whose has not.
INLINE void exchange(vf *a, vf *b, const size_t step) {
    const vf x = *a, y = *b;
#pragma unroll
    for (size_t i = 0; i < WIDTH; i++) {
        (*a)[i] = i & step ? y[i - step] : x[i];
        (*b)[i] = i & step ? y[i] : x[i + step];
    }
}

INLINE void transpose(vf rows[CK_WIDTH]) {
#pragma unroll
    for (size_t step = 1; step < WIDTH; step *= 2)
#pragma unroll
        for (size_t i = 0; i < WIDTH; i++)
            if (!(i & step)) exchange(&rows[i], &rows[i + step], step);
}

static void CK_NAME(weights)(float *to, const float *weight, size_t inputs, size_t outputs, size_t distance,
                             bool transposes, size_t first, size_t last) {
    const size_t rows = transposes ? outputs : inputs, stride = inputs * outputs;
    for (size_t panel = first; panel < last; panel++) {
        // Rows a few at a time, so that both halves of a cache line are written while it is near.
        for (size_t row = 0; row < rows; row += WIDTH, to += WIDTH * PANEL) {
            for (size_t half = 0; half < PANEL; half += WIDTH) {
                const size_t column = panel * PANEL + half;
                vf g[CK_WIDTH][9];
                for (size_t tap = 0; tap < 9; tap++) {
                    const float *from = transposes ? weight + (8 - tap) * stride + column * outputs + row
                                                   : weight + tap * stride + row * outputs + column;
                    vf lines[CK_WIDTH];
                    for (size_t i = 0; i < WIDTH; i++) lines[i] = load(from + i * outputs);
                    if (transposes) transpose(lines);
                    for (size_t i = 0; i < WIDTH; i++) g[i][tap] = lines[i];
                }
                for (size_t i = 0; i < WIDTH; i++) transform_weight(to + i * PANEL + half, g[i], distance);
            }
        }
    }
}

static void CK_NAME(weight_gradient)(float *dweight, const float *from, size_t inputs, size_t outputs, size_t distance,
                                     size_t first, size_t last) {
    const size_t stride = inputs * outputs;
    for (size_t panel = first; panel < last; panel++) {
        for (size_t row = 0; row < inputs; row++) {
            for (size_t half = 0; half < PANEL; half += WIDTH) {
                const float *u = from + ((panel - first) * inputs + row) * PANEL + half;
                float *to = dweight + row * outputs + panel * PANEL + half;
                vf columns[6][3];
                for (size_t j = 0; j < 6; j++) {
                    vf line[6];
                    for (size_t i = 0; i < 6; i++) line[i] = load(u + (i * 6 + j) * distance);
                    weight_gradient_line(columns[j], line);
                }
                for (size_t i = 0; i < 3; i++) {
                    vf line[6], g[3];
                    for (size_t j = 0; j < 6; j++) line[j] = columns[j][i];
                    weight_gradient_line(g, line);
                    for (size_t j = 0; j < 3; j++) store(to + (i * 3 + j) * stride, g[j]);
                }
            }
        }
    }
}

// Where a tile lies.
typedef struct {
    const ck_tiling *tiling;
    size_t picture, row, column;  // of the first output pixel
} tile;

INLINE tile tile_at(const ck_tiling *tiling, size_t index) {
    const size_t a_picture = tiling->tile_rows * tiling->tile_columns, inside = index % a_picture;
    return (tile){tiling, index / a_picture, inside / tiling->tile_columns * 4, inside % tiling->tile_columns * 4};
}

// Pixels of the tile's output that lie in the picture.
INLINE size_t tile_height(tile t) { return t.tiling->height - t.row < 4 ? t.tiling->height - t.row : 4; }
INLINE size_t tile_width(tile t) { return t.tiling->width - t.column < 4 ? t.tiling->width - t.column : 4; }

// Floats of a cache line.
#define LINE 16

// Asks for `rows` rows of the four pixels from x on: what the next tile to the right will read. A tile's reads are
// scattered over rows and pixels, which hardware does not foresee.
INLINE void prefetch(const float *x, size_t channels, size_t row_stride, const size_t rows) {
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < 4; j++) __builtin_prefetch(x + i * row_stride + j * channels);
}

INLINE void input_tile(float *to, const float *x, size_t channels, size_t row_stride, size_t distance, ptrdiff_t top,
                       ptrdiff_t bottom, ptrdiff_t left, ptrdiff_t right, const float *scale, const float *shift,
                       const bool inside, const bool rectifies) {
    vf columns[6][6];
    const vf s = rectifies ? load(scale) : splat(0), t = rectifies ? load(shift) : splat(0);
    for (ptrdiff_t j = 0; j < 6; j++) {
        vf d[6];
        for (ptrdiff_t i = 0; i < 6; i++) {
            if (!inside && (i < top || i >= bottom || j < left || j >= right)) {
                d[i] = splat(0);
                continue;
            }
            d[i] = load(x + i * (ptrdiff_t)row_stride + j * (ptrdiff_t)channels);
            if (rectifies) {
                d[i] = d[i] * s + t;
                d[i] = (vf)((ck_vi)d[i] & ~(d[i] < 0));
            }
        }
        input_line(columns[j], d);
    }
    for (size_t i = 0; i < 6; i++) {
        vf line[6], v[6];
        for (size_t j = 0; j < 6; j++) line[j] = columns[j][i];
        input_line(v, line);
        for (size_t j = 0; j < 6; j++) store(to + (i * 6 + j) * distance, v[j]);
    }
}

static void CK_NAME(input)(float *to, const float *x, const ck_tiling *tiling, size_t channels, const ck_tiles *tiles,
                           const ck_affine *affine) {
    const size_t rows = tiles->rows, distance = tiles->distance, row_stride = tiling->width * channels;
    const ptrdiff_t height = (ptrdiff_t)tiling->height, width = (ptrdiff_t)tiling->width;
    for (size_t index = 0; index < tiles->count; index++) {
        const tile t = tile_at(tiling, tiles->first + index);
        const ptrdiff_t row = (ptrdiff_t)t.row - 1, column = (ptrdiff_t)t.column - 1;
        const ptrdiff_t top = row < 0 ? 1 : 0, bottom = height - row < 6 ? height - row : 6;
        const ptrdiff_t left = column < 0 ? 1 : 0, right = width - column < 6 ? width - column : 6;
        const bool inside = top == 0 && left == 0 && bottom == 6 && right == 6;
        const float *from = x + (((ptrdiff_t)t.picture * height + row) * width + column) * (ptrdiff_t)channels;
        const size_t group = affine ? t.picture / affine->pictures * affine->stride : 0;
        for (size_t c = 0; c < channels; c += WIDTH) {
            if (c % LINE == 0) prefetch(from + 6 * channels + c, channels, row_stride, 6);
            float *p = to + (c / PANEL * rows + index) * PANEL + c % PANEL;
            const float *scale = affine ? affine->scale + group + c : NULL;
            const float *shift = affine ? affine->shift + group + c : NULL;
            if (affine && inside)
                input_tile(p, from + c, channels, row_stride, distance, 0, 6, 0, 6, scale, shift, true, true);
            else if (affine)
                input_tile(p, from + c, channels, row_stride, distance, top, bottom, left, right, scale, shift, false, true);
            else if (inside)
                input_tile(p, from + c, channels, row_stride, distance, 0, 6, 0, 6, scale, shift, true, false);
            else
                input_tile(p, from + c, channels, row_stride, distance, top, bottom, left, right, scale, shift, false, false);
        }
    }
}

// What happens to an output tile's results.
enum ending { STORES, ADDS, FINISHES, COUNTS, MASKS };

INLINE void output_tile(float *y, const float *from, size_t channels, size_t row_stride, size_t distance, size_t height,
                        size_t width, const ck_epilogue *epilogue, size_t offset, size_t picture, size_t c,
                        const enum ending ending) {
    vf columns[6][4];
    for (size_t j = 0; j < 6; j++) {
        vf m[6];
        for (size_t i = 0; i < 6; i++) m[i] = load(from + (i * 6 + j) * distance);
        output_line(columns[j], m);
    }
    vf sum = splat(0), product = splat(0), origin = splat(0), scale = splat(0), shift = splat(0);
    const float *x = NULL;
    const ck_finish *finish = epilogue->finish;
    if (ending == FINISHES) {
        shift = load(finish->bias + c);
        x = finish->residual ? finish->residual + offset : NULL;
    }
    if (ending == COUNTS) origin = load(epilogue->origin + c);
    if (ending == MASKS) {
        const size_t group = picture / epilogue->affine->pictures * epilogue->affine->stride + c;
        scale = load(epilogue->affine->scale + group);
        shift = load(epilogue->affine->shift + group);
        origin = load(epilogue->mean + group);
        x = epilogue->x + offset;
    }
    for (size_t i = 0; i < height; i++) {
        vf line[6], v[4];
        for (size_t j = 0; j < 6; j++) line[j] = columns[j][i];
        output_line(v, line);
        for (size_t j = 0; j < width; j++) {
            const size_t at = i * row_stride + j * channels;
            if (ending == ADDS) v[j] += load(y + at);
            if (ending == FINISHES) {
                v[j] += shift;
                if (x) v[j] += load(x + at);
                if (finish->rectifies) v[j] = (vf)((ck_vi)v[j] & ~(v[j] < 0));
            }
            if (ending == COUNTS) {
                const vf difference = v[j] - origin;
                sum += difference;
                product += difference * difference;
            }
            if (ending == MASKS) {
                const vf before = load(x + at);
                v[j] = (vf)((ck_vi)v[j] & (before * scale + shift > 0));
                sum += v[j];
                product += v[j] * (before - origin);
            }
            store(y + at, v[j]);
        }
    }
    if (ending == COUNTS || ending == MASKS) {
        float *to = epilogue->sums + picture / epilogue->pictures * 2 * channels + c;
        store(to, load(to) + sum);
        store(to + channels, load(to + channels) + product);
    }
}

static void CK_NAME(output)(float *y, const float *from, const ck_tiling *tiling, size_t channels, size_t first,
                            size_t last, const ck_tiles *tiles, const ck_epilogue *epilogue) {
    const size_t rows = tiles->rows, distance = tiles->distance, row_stride = tiling->width * channels;
    for (size_t index = 0; index < tiles->count; index++) {
        const tile t = tile_at(tiling, tiles->first + index);
        const size_t height = tile_height(t), width = tile_width(t);
        const size_t start = ((t.picture * tiling->height + t.row) * tiling->width + t.column) * channels;
        for (size_t c = first * PANEL; c < last * PANEL; c += WIDTH) {
            const float *p = from + ((c / PANEL - first) * rows + index) * PANEL + c % PANEL;
            float *to = y + start + c;
#define END(ending) output_tile(to, p, channels, row_stride, distance, height, width, epilogue, start + c, t.picture, c, ending)
            if (epilogue->adds)
                END(ADDS);
            else if (epilogue->finish)
                END(FINISHES);
            else if (epilogue->origin)
                END(COUNTS);
            else if (epilogue->x)
                END(MASKS);
            else
                END(STORES);
#undef END
        }
    }
}

static void CK_NAME(gradient)(float *to, const float *dy, const ck_tiling *tiling, size_t channels,
                              const ck_tiles *tiles) {
    const size_t rows = tiles->rows, distance = tiles->distance, row_stride = tiling->width * channels;
    for (size_t index = 0; index < tiles->count; index++) {
        const tile t = tile_at(tiling, tiles->first + index);
        const size_t height = tile_height(t), width = tile_width(t);
        const float *from = dy + ((t.picture * tiling->height + t.row) * tiling->width + t.column) * channels;
        for (size_t c = 0; c < channels; c += WIDTH) {
            if (c % LINE == 0) prefetch(from + 4 * channels + c, channels, row_stride, 4);
            float *p = to + (c / PANEL * rows + index) * PANEL + c % PANEL;
            vf columns[4][6];
            for (size_t j = 0; j < 4; j++) {
                vf y[4];
                for (size_t i = 0; i < 4; i++)
                    y[i] = i < height && j < width ? load(from + i * row_stride + j * channels + c) : splat(0);
                gradient_line(columns[j], y);
            }
            for (size_t i = 0; i < 6; i++) {
                vf z[6];
                gradient_line(z, (const vf[4]){columns[0][i], columns[1][i], columns[2][i], columns[3][i]});
                for (size_t j = 0; j < 6; j++) store(p + (i * 6 + j) * distance, z[j]);
            }
        }
    }
}

#include "winograd_product.inc.h"

const ck_winograd_kernels CK_NAME(ck_winograd) = {
    .panel = PANEL,
    .weights = CK_NAME(weights),
    .input = CK_NAME(input),
    .output = CK_NAME(output),
    .gradient = CK_NAME(gradient),
    .weight_gradient = CK_NAME(weight_gradient),
    .product = CK_NAME(product),
    .product_transposed = CK_NAME(product_transposed),
};
