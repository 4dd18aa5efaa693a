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

// Points of the larger tiles.
#define POINTS 6

#include "winograd_lines.inc.h"

INLINE void transform_weight(float *to, const vf g[9], size_t distance, const size_t points) {
    vf columns[3][POINTS];
    for (size_t j = 0; j < 3; j++) weight_line(columns[j], (const vf[3]){g[j], g[3 + j], g[6 + j]}, points);
    for (size_t i = 0; i < points; i++) {
        vf u[POINTS];
        weight_line(u, (const vf[3]){columns[0][i], columns[1][i], columns[2][i]}, points);
        for (size_t j = 0; j < points; j++) store(to + position_of(i, j) * distance, u[j]);
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

INLINE void weights_of(float *to, const float *weight, size_t inputs, size_t outputs, size_t distance, bool transposes,
                       size_t first, size_t last, const size_t points) {
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
                for (size_t i = 0; i < WIDTH; i++) transform_weight(to + i * PANEL + half, g[i], distance, points);
            }
        }
    }
}

static void CK_NAME(weights)(float *to, const float *weight, size_t inputs, size_t outputs, size_t positions,
                             size_t distance, bool transposes, size_t first, size_t last) {
    if (positions == CK_POSITIONS_TALL_WIDE)
        weights_of(to, weight, inputs, outputs, distance, transposes, first, last, 6);
    else
        weights_of(to, weight, inputs, outputs, distance, transposes, first, last, 5);
}

INLINE void weight_gradient_of(float *dweight, const float *from, size_t inputs, size_t outputs, size_t distance,
                               size_t first, size_t last, const size_t points) {
    const size_t stride = inputs * outputs;
    for (size_t panel = first; panel < last; panel++) {
        for (size_t row = 0; row < inputs; row++) {
            for (size_t half = 0; half < PANEL; half += WIDTH) {
                const float *u = from + ((panel - first) * inputs + row) * PANEL + half;
                float *to = dweight + row * outputs + panel * PANEL + half;
                vf columns[POINTS][3];
                for (size_t j = 0; j < points; j++) {
                    vf line[POINTS];
                    for (size_t i = 0; i < points; i++) line[i] = load(u + position_of(i, j) * distance);
                    weight_gradient_line(columns[j], line, points);
                }
                for (size_t i = 0; i < 3; i++) {
                    vf line[POINTS], g[3];
                    for (size_t j = 0; j < points; j++) line[j] = columns[j][i];
                    weight_gradient_line(g, line, points);
                    for (size_t j = 0; j < 3; j++) store(to + (i * 3 + j) * stride, g[j]);
                }
            }
        }
    }
}

static void CK_NAME(weight_gradient)(float *dweight, const float *from, size_t inputs, size_t outputs, size_t positions,
                                     size_t distance, size_t first, size_t last) {
    if (positions == CK_POSITIONS_TALL_WIDE)
        weight_gradient_of(dweight, from, inputs, outputs, distance, first, last, 6);
    else
        weight_gradient_of(dweight, from, inputs, outputs, distance, first, last, 5);
}

// Where a tile lies.
typedef struct {
    size_t picture, row, column;  // of the first output pixel
    bool tall, wide;
} tile;

INLINE tile tile_at(const ck_tiling *tiling, size_t index) {
    const size_t rows[] = {tiling->tall, tiling->tall, tiling->low, tiling->low};
    const size_t columns[] = {tiling->narrow, tiling->wide, tiling->wide, tiling->narrow};
    size_t kind = 0;
    while (index >= tiling->batch * rows[kind] * columns[kind]) {
        index -= tiling->batch * rows[kind] * columns[kind];
        kind++;
    }
    const size_t inside = index % (rows[kind] * columns[kind]);
    const size_t row = inside / columns[kind], column = inside % columns[kind];
    const bool tall = kind < 2, wide = kind == 1 || kind == 2;
    return (tile){index / (rows[kind] * columns[kind]), tall ? 4 * row : 4 * tiling->tall + 3 * row,
                  wide ? 4 * column : 4 * tiling->wide + 3 * column, tall, wide};
}

// Calls a function for the tile's height and width, as constants.
#define FOR_TILE(tile, call)              \
    do {                                  \
        if ((tile).tall && (tile).wide)   \
            call(4, 4);                   \
        else if ((tile).tall)             \
            call(4, 3);                   \
        else if ((tile).wide)             \
            call(3, 4);                   \
        else                              \
            call(3, 3);                   \
    } while (0)

INLINE size_t least(size_t a, size_t b) { return a < b ? a : b; }

// Floats of a cache line.
#define LINE 16

// Asks for `rows` rows of `columns` pixels from x on: what the next tile to the right will read. A tile's reads are
// scattered over rows and pixels, which hardware does not foresee.
INLINE void prefetch(const float *x, size_t channels, size_t row_stride, const size_t rows, const size_t columns) {
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++) __builtin_prefetch(x + i * row_stride + j * channels);
}

INLINE void input_tile(float *to, const float *x, size_t channels, size_t row_stride, size_t distance, ptrdiff_t top,
                       ptrdiff_t bottom, ptrdiff_t left, ptrdiff_t right, const float *scale, const float *shift,
                       const bool inside, const bool rectifies, const size_t high, const size_t wide) {
    vf columns[POINTS][POINTS];
    const vf s = rectifies ? load(scale) : splat(0), t = rectifies ? load(shift) : splat(0);
    for (ptrdiff_t j = 0; j < (ptrdiff_t)wide + 2; j++) {
        vf d[POINTS];
        for (ptrdiff_t i = 0; i < (ptrdiff_t)high + 2; i++) {
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
        input_line(columns[j], d, high);
    }
    for (size_t i = 0; i < high + 2; i++) {
        vf line[POINTS], v[POINTS];
        for (size_t j = 0; j < wide + 2; j++) line[j] = columns[j][i];
        input_line(v, line, wide);
        for (size_t j = 0; j < wide + 2; j++) store(to + position_of(i, j) * distance, v[j]);
    }
}

// All channels of one tile, which becomes row `index` of the panels.
INLINE void input_of(float *to, const float *x, const ck_tiling *tiling, size_t channels, const ck_tiles *tiles,
                     const ck_affine *affine, size_t index, tile t, const size_t high, const size_t wide) {
    const size_t row_stride = tiling->width * channels;
    const ptrdiff_t height = (ptrdiff_t)tiling->height, width = (ptrdiff_t)tiling->width;
    const ptrdiff_t row = (ptrdiff_t)t.row - 1, column = (ptrdiff_t)t.column - 1;
    const ptrdiff_t lower = (ptrdiff_t)high + 2, outer = (ptrdiff_t)wide + 2;
    const ptrdiff_t top = row < 0 ? 1 : 0, bottom = height - row < lower ? height - row : lower;
    const ptrdiff_t left = column < 0 ? 1 : 0, right = width - column < outer ? width - column : outer;
    const bool inside = top == 0 && left == 0 && bottom == lower && right == outer;
    const float *from = x + (((ptrdiff_t)t.picture * height + row) * width + column) * (ptrdiff_t)channels;
    const size_t group = affine ? t.picture / affine->pictures * affine->stride : 0;
    for (size_t c = 0; c < channels; c += WIDTH) {
        if (c % LINE == 0) prefetch(from + (wide + 2) * channels + c, channels, row_stride, high + 2, wide);
        float *p = to + (c / PANEL * tiles->rows + index) * PANEL + c % PANEL;
        const float *scale = affine ? affine->scale + group + c : NULL;
        const float *shift = affine ? affine->shift + group + c : NULL;
#define TILE(top, bottom, left, right, inside, rectifies)                                                              \
    input_tile(p, from + c, channels, row_stride, tiles->distance, top, bottom, left, right, scale, shift, inside, \
               rectifies, high, wide)
        if (affine && inside)
            TILE(0, lower, 0, outer, true, true);
        else if (affine)
            TILE(top, bottom, left, right, false, true);
        else if (inside)
            TILE(0, lower, 0, outer, true, false);
        else
            TILE(top, bottom, left, right, false, false);
#undef TILE
    }
}

static void CK_NAME(input)(float *to, const float *x, const ck_tiling *tiling, size_t channels, const ck_tiles *tiles,
                           const ck_affine *affine) {
    for (size_t index = 0; index < tiles->count; index++) {
        const tile t = tile_at(tiling, tiles->first + index);
#define CALL(high, wide) input_of(to, x, tiling, channels, tiles, affine, index, t, high, wide)
        FOR_TILE(t, CALL);
#undef CALL
    }
}

// What happens to an output tile's results.
enum ending { STORES, ADDS, FINISHES, COUNTS, MASKS, ADDS_AND_MASKS };

INLINE void output_tile(float *y, const float *from, size_t channels, size_t row_stride, size_t distance, size_t height,
                        size_t width, const ck_epilogue *epilogue, size_t offset, size_t picture, size_t c,
                        const enum ending ending, const size_t high, const size_t wide) {
    vf columns[POINTS][POINTS - 2];
    for (size_t j = 0; j < wide + 2; j++) {
        vf m[POINTS];
        for (size_t i = 0; i < high + 2; i++) m[i] = load(from + position_of(i, j) * distance);
        output_line(columns[j], m, high);
    }
    vf sum = splat(0), product = splat(0), origin = splat(0), scale = splat(0), shift = splat(0);
    const float *x = NULL;
    const ck_finish *finish = epilogue->finish;
    if (ending == FINISHES) {
        shift = load(finish->bias + c);
        x = finish->residual ? finish->residual + offset : NULL;
    }
    if (ending == COUNTS) origin = load(epilogue->origin + c);
    const bool masks = ending == MASKS || ending == ADDS_AND_MASKS;
    if (masks) {
        const size_t group = picture / epilogue->affine->pictures * epilogue->affine->stride + c;
        scale = load(epilogue->affine->scale + group);
        shift = load(epilogue->affine->shift + group);
        origin = load(epilogue->mean + group);
        x = epilogue->x + offset;
    }
    for (size_t i = 0; i < height; i++) {
        vf line[POINTS], v[POINTS - 2];
        for (size_t j = 0; j < wide + 2; j++) line[j] = columns[j][i];
        output_line(v, line, wide);
        for (size_t j = 0; j < width; j++) {
            const size_t at = i * row_stride + j * channels;
            if (ending == ADDS || ending == ADDS_AND_MASKS) v[j] += load(y + at);
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
            if (masks) {
                const vf before = load(x + at);
                const vf rectified = ending == MASKS ? before * scale + shift : load(epilogue->rectified + offset + at);
                v[j] = (vf)((ck_vi)v[j] & (rectified > 0));
                sum += v[j];
                product += v[j] * (before - origin);
            }
            store(y + at, v[j]);
        }
    }
    if (ending == COUNTS || masks) {
        float *to = epilogue->sums + picture / epilogue->pictures * 2 * channels + c;
        store(to, load(to) + sum);
        store(to + channels, load(to + channels) + product);
    }
}

// The panels' channels of one tile, row `index` of the panels.
INLINE void output_of(float *y, const float *from, const ck_tiling *tiling, size_t channels, size_t first, size_t last,
                      const ck_tiles *tiles, const ck_epilogue *epilogue, size_t index, tile t, const size_t high,
                      const size_t wide) {
    const size_t row_stride = tiling->width * channels;
    const size_t height = least(tiling->height - t.row, high), width = least(tiling->width - t.column, wide);
    const size_t start = ((t.picture * tiling->height + t.row) * tiling->width + t.column) * channels;
    for (size_t c = first * PANEL; c < last * PANEL; c += WIDTH) {
        const float *p = from + ((c / PANEL - first) * tiles->rows + index) * PANEL + c % PANEL;
        float *to = y + start + c;
#define END(ending)                                                                                                      \
    output_tile(to, p, channels, row_stride, tiles->distance, height, width, epilogue, start + c, t.picture, c, ending, \
                high, wide)
        if (epilogue->adds && epilogue->x)
            END(ADDS_AND_MASKS);
        else if (epilogue->adds)
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

static void CK_NAME(output)(float *y, const float *from, const ck_tiling *tiling, size_t channels, size_t first,
                            size_t last, const ck_tiles *tiles, const ck_epilogue *epilogue) {
    for (size_t index = 0; index < tiles->count; index++) {
        const tile t = tile_at(tiling, tiles->first + index);
#define CALL(high, wide) output_of(y, from, tiling, channels, first, last, tiles, epilogue, index, t, high, wide)
        FOR_TILE(t, CALL);
#undef CALL
    }
}

INLINE void gradient_of(float *to, const float *dy, const ck_tiling *tiling, size_t channels, const ck_tiles *tiles,
                        size_t index, tile t, const size_t high, const size_t wide) {
    const size_t row_stride = tiling->width * channels;
    const size_t height = least(tiling->height - t.row, high), width = least(tiling->width - t.column, wide);
    const float *from = dy + ((t.picture * tiling->height + t.row) * tiling->width + t.column) * channels;
    for (size_t c = 0; c < channels; c += WIDTH) {
        if (c % LINE == 0) prefetch(from + wide * channels + c, channels, row_stride, high, wide);
        float *p = to + (c / PANEL * tiles->rows + index) * PANEL + c % PANEL;
        vf columns[POINTS - 2][POINTS];
        for (size_t j = 0; j < wide; j++) {
            vf y[POINTS - 2];
            for (size_t i = 0; i < high; i++)
                y[i] = i < height && j < width ? load(from + i * row_stride + j * channels + c) : splat(0);
            gradient_line(columns[j], y, high);
        }
        for (size_t i = 0; i < high + 2; i++) {
            vf line[POINTS - 2], z[POINTS];
            for (size_t j = 0; j < wide; j++) line[j] = columns[j][i];
            gradient_line(z, line, wide);
            for (size_t j = 0; j < wide + 2; j++) store(p + position_of(i, j) * tiles->distance, z[j]);
        }
    }
}

static void CK_NAME(gradient)(float *to, const float *dy, const ck_tiling *tiling, size_t channels,
                              const ck_tiles *tiles) {
    for (size_t index = 0; index < tiles->count; index++) {
        const tile t = tile_at(tiling, tiles->first + index);
#define CALL(high, wide) gradient_of(to, dy, tiling, channels, tiles, index, t, high, wide)
        FOR_TILE(t, CALL);
#undef CALL
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
