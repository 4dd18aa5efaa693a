// The one-dimensional transforms of the Winograd family, after Lavin and Gray, section 4.3; a part of winograd.inc.h.
//
// The points are A, -A, B, -B, infinity and 0 for lines of 4 outputs, and the same without 0 for lines of 3. What 3 outputs
// take from the input is scaled so that weights are transformed in the same way for both: a point's divisor has its distance
// from 0, too. `outputs` and `points` are known where the transforms are compiled.

// Their products with themselves and each other are exact. The usual 1 and 2 round twice as much, since the powers of 2 grow.
#define A 0.625f
#define B 1.5f
#define A2 (A * A)
#define B2 (B * B)

// y = B^T d
INLINE void input_line(vf *y, const vf *d, const size_t outputs) {
    const vf a = outputs == 4 ? d[4] - B2 * d[2] : A2 * d[2] - A2 * B2 * d[0], b = d[3] - B2 * d[1];
    const vf c = outputs == 4 ? d[4] - A2 * d[2] : B2 * d[2] - A2 * B2 * d[0], e = d[3] - A2 * d[1];
    const size_t first = outputs - 3;
    if (outputs == 4) y[5] = A2 * B2 * d[0] - (A2 + B2) * d[2] + d[4];
    y[0] = a + A * b;
    y[1] = a - A * b;
    y[2] = c + B * e;
    y[3] = c - B * e;
    y[4] = A2 * B2 * d[first] - (A2 + B2) * d[first + 2] + d[first + 4];
}

// y = A^T m
INLINE void output_line(vf *y, const vf *m, const size_t outputs) {
    const vf a = m[0] + m[1], b = m[0] - m[1], c = m[2] + m[3], d = m[2] - m[3];
    const vf zero = outputs == 4 ? m[5] : splat(0);
    y[0] = zero + a + c;
    y[1] = A * b + B * d;
    y[2] = A2 * a + B2 * c;
    if (outputs == 4) y[3] = A * A2 * b + B * B2 * d;
    y[outputs - 1] += m[4];
}

// z = A y
INLINE void gradient_line(vf *z, const vf *y, const size_t outputs) {
    const vf fourth = outputs == 4 ? y[3] : splat(0);
    const vf a = y[0] + A2 * y[2], b = A * y[1] + A * A2 * fourth, c = y[0] + B2 * y[2], d = B * y[1] + B * B2 * fourth;
    z[0] = a + b;
    z[1] = a - b;
    z[2] = c + d;
    z[3] = c - d;
    z[4] = y[outputs - 1];
    if (outputs == 4) z[5] = y[0];
}

// Each point's divisor: the product of its distances from the others.
#define DIVISOR_0 (A2 * B2)
#define DIVISOR_A (2 * A2 * (A2 - B2))
#define DIVISOR_B (2 * B2 * (B2 - A2))

// u = G g
INLINE void weight_line(vf *u, const vf g[3], const size_t points) {
    const vf a = (g[0] + A2 * g[2]) * (1 / DIVISOR_A), b = g[1] * (A / DIVISOR_A);
    const vf c = (g[0] + B2 * g[2]) * (1 / DIVISOR_B), d = g[1] * (B / DIVISOR_B);
    u[0] = a + b;
    u[1] = a - b;
    u[2] = c + d;
    u[3] = c - d;
    u[4] = g[2];
    if (points == 6) u[5] = g[0] * (1 / DIVISOR_0);
}

// g = G^T u
INLINE void weight_gradient_line(vf g[3], const vf *u, const size_t points) {
    const vf a = (u[0] + u[1]) * (1 / DIVISOR_A), b = u[0] - u[1], c = (u[2] + u[3]) * (1 / DIVISOR_B), d = u[2] - u[3];
    const vf zero = points == 6 ? u[5] : splat(0);
    g[0] = zero * (1 / DIVISOR_0) + a + c;
    g[1] = b * (A / DIVISOR_A) + d * (B / DIVISOR_B);
    g[2] = A2 * a + B2 * c + u[4];
}

// Where a pair of points, vertical and horizontal, stands among the positions, which winograd.h puts in order.
INLINE size_t position_of(size_t i, size_t j) {
    return i == 5 ? CK_POSITION_TALL + j : j == 5 ? CK_POSITION_WIDE + i : 5 * i + j;
}
