// The products of the Winograd family, in panels; a part of winograd.inc.h, which says what a panel and ROWS are.

// `rows` rows of c: sums over k in panels of a, added to what is there if `adds`. What will be read `ahead` is asked for, two
// cache lines for each PANEL of k.
INLINE void product_rows(float *c, const float *a, const float *b, const float *ahead, size_t a_panel, size_t k,
                         bool adds, const size_t rows) {
    vf sums[ROWS][2];
    for (size_t r = 0; r < rows; r++) {
        sums[r][0] = adds ? load(c + r * PANEL) : splat(0);
        sums[r][1] = adds ? load(c + r * PANEL + WIDTH) : splat(0);
    }
    for (size_t panel = 0; panel < k; panel += PANEL, a += a_panel, ahead += 2 * LINE) {
        __builtin_prefetch(ahead);
        __builtin_prefetch(ahead + LINE);
#pragma unroll 4
        for (size_t i = 0; i < PANEL; i++, b += PANEL) {
            const vf b0 = load(b), b1 = load(b + WIDTH);
            for (size_t r = 0; r < rows; r++) {
                const vf x = splat(a[r * PANEL + i]);
                sums[r][0] += x * b0;
                sums[r][1] += x * b1;
            }
        }
    }
    for (size_t r = 0; r < rows; r++) {
        store(c + r * PANEL, sums[r][0]);
        store(c + r * PANEL + WIDTH, sums[r][1]);
    }
}

INLINE void product_group(float *c, const float *a, const float *b, const float *ahead, size_t a_panel, size_t k,
                          bool adds, size_t rows) {
    switch (rows) {
#define GROUP(n)                                            \
    case n:                                                 \
        product_rows(c, a, b, ahead, a_panel, k, adds, n); \
        break;
        GROUP(1) GROUP(2) GROUP(3) GROUP(4) GROUP(5) GROUP(6)
#if ROWS > 6
        GROUP(7) GROUP(8) GROUP(9) GROUP(10) GROUP(11) GROUP(12)
#endif
#undef GROUP
    }
}

// Rows of b that stay in L1 together with those of a and c: 16 KB of a panel.
#define DEPTH (4096 / PANEL)

static void CK_NAME(product)(float *c, const float *a, const float *b, size_t rows, size_t stride, size_t k,
                             size_t panels) {
    for (size_t panel = 0; panel < panels; panel++) {
        float *to = c + panel * stride * PANEL;
        for (size_t start = 0; start < k; start += DEPTH) {
            const size_t depth = k - start < DEPTH ? k - start : DEPTH;
            const float *from = b + (panel * k + start) * PANEL, *left = a + start * stride;
            // The next part of b comes from far while this one is used.
            const float *ahead = from + depth * PANEL;
            // Rows that are left over after groups of ROWS are shared with the last group: a group of one or two would
            // wait for its own sums most of the time.
            for (size_t row = 0, group; row < rows; row += group, ahead += depth / PANEL * 2 * LINE) {
                group = rows - row >= 2 * ROWS || rows - row == ROWS ? ROWS
                        : rows - row > ROWS                          ? (rows - row + 1) / 2
                                                                     : rows - row;
                product_group(to + row * PANEL, left + row * PANEL, from, ahead, stride * PANEL, depth, start > 0,
                              group);
            }
        }
    }
}

// `columns` columns of a, beside each other in its panel, become rows of c.
INLINE void product_columns(float *c, const float *a, const float *b, size_t rows, bool adds, const size_t columns) {
    vf sums[ROWS][2];
    for (size_t r = 0; r < columns; r++) {
        sums[r][0] = adds ? load(c + r * PANEL) : splat(0);
        sums[r][1] = adds ? load(c + r * PANEL + WIDTH) : splat(0);
    }
    for (size_t i = 0; i < rows; i++, a += PANEL, b += PANEL) {
        const vf b0 = load(b), b1 = load(b + WIDTH);
        for (size_t r = 0; r < columns; r++) {
            const vf x = splat(a[r]);
            sums[r][0] += x * b0;
            sums[r][1] += x * b1;
        }
    }
    for (size_t r = 0; r < columns; r++) {
        store(c + r * PANEL, sums[r][0]);
        store(c + r * PANEL + WIDTH, sums[r][1]);
    }
}

static void CK_NAME(product_transposed)(float *c, const float *a, const float *b, size_t rows, size_t stride, size_t m,
                                        size_t panels, bool adds) {
    for (size_t panel = 0; panel < panels; panel++) {
        const float *from = b + panel * stride * PANEL;
        for (size_t other = 0; other < m / PANEL; other++) {
            const float *left = a + other * stride * PANEL;
            float *to = c + (panel * m + other * PANEL) * PANEL;
            size_t column = 0;
            for (; column + ROWS <= PANEL; column += ROWS)
                product_columns(to + column * PANEL, left + column, from, rows, adds, ROWS);
            // What is left of a panel's 16 or 32 columns after whole ROWS of 6 or 12.
            for (; column + 4 <= PANEL; column += 4)
                product_columns(to + column * PANEL, left + column, from, rows, adds, 4);
            for (; column < PANEL; column += 2) product_columns(to + column * PANEL, left + column, from, rows, adds, 2);
        }
    }
}
