// The one-dimensional transforms of the Winograd family, after Lavin and Gray, section 4.3; a part of winograd.inc.h.
//
// For tiles of 4 outputs the 6 points are 0, A, -A, B, -B and infinity, for tiles of 3 outputs the 5 are 0, 1, -1, 2 and
// infinity. `points` is known where the transforms are compiled.

// Their products with themselves and each other are exact. The usual 1 and 2 round twice as much, since the powers of 2 grow.
#define A 0.625f
#define B 1.5f
#define A2 (A * A)
#define B2 (B * B)

// y = B^T d
INLINE void input_line(vf *y, const vf *d, const size_t points) {
    if (points == 5) {
        const vf a = d[3] - d[1];
        y[0] = 2 * (d[0] - d[2]) + a;
        y[1] = a - d[1] - d[2];
        y[2] = a + 3 * (d[1] - d[2]);
        y[3] = a;
        y[4] = d[4] - d[2] - 2 * a;
        return;
    }
    const vf a = d[4] - B2 * d[2], b = d[3] - B2 * d[1], c = d[4] - A2 * d[2], e = d[3] - A2 * d[1];
    y[0] = A2 * B2 * d[0] - (A2 + B2) * d[2] + d[4];
    y[1] = a + A * b;
    y[2] = a - A * b;
    y[3] = c + B * e;
    y[4] = c - B * e;
    y[5] = A2 * B2 * d[1] - (A2 + B2) * d[3] + d[5];
}

// y = A^T m
INLINE void output_line(vf *y, const vf *m, const size_t points) {
    const vf a = m[1] + m[2], b = m[1] - m[2];
    if (points == 5) {
        y[0] = m[0] + a + m[3];
        y[1] = b + 2 * m[3];
        y[2] = a + 4 * m[3] + m[4];
        return;
    }
    const vf c = m[3] + m[4], d = m[3] - m[4];
    y[0] = m[0] + a + c;
    y[1] = A * b + B * d;
    y[2] = A2 * a + B2 * c;
    y[3] = A * A2 * b + B * B2 * d + m[5];
}

// z = A y
INLINE void gradient_line(vf *z, const vf *y, const size_t points) {
    if (points == 5) {
        const vf a = y[0] + y[2], c = y[0] + 4 * y[2];
        z[0] = y[0];
        z[1] = a + y[1];
        z[2] = a - y[1];
        z[3] = c + 2 * y[1];
        z[4] = y[2];
        return;
    }
    const vf a = y[0] + A2 * y[2], b = A * y[1] + A * A2 * y[3], c = y[0] + B2 * y[2], d = B * y[1] + B * B2 * y[3];
    z[0] = y[0];
    z[1] = a + b;
    z[2] = a - b;
    z[3] = c + d;
    z[4] = c - d;
    z[5] = y[3];
}

// Each point's divisor: the product of its distances from the others.
#define DIVISOR_0 (A2 * B2)
#define DIVISOR_A (2 * A2 * (A2 - B2))
#define DIVISOR_B (2 * B2 * (B2 - A2))

// u = G g
INLINE void weight_line(vf *u, const vf g[3], const size_t points) {
    if (points == 5) {
        const vf a = g[0] + g[2];
        u[0] = g[0] * 0.5f;
        u[1] = (a + g[1]) * -0.5f;
        u[2] = (g[1] - a) * (1.0f / 6);
        u[3] = g[0] * (1.0f / 6) + g[1] * (1.0f / 3) + g[2] * (2.0f / 3);
        u[4] = g[2];
        return;
    }
    const vf a = (g[0] + A2 * g[2]) * (1 / DIVISOR_A), b = g[1] * (A / DIVISOR_A);
    const vf c = (g[0] + B2 * g[2]) * (1 / DIVISOR_B), d = g[1] * (B / DIVISOR_B);
    u[0] = g[0] * (1 / DIVISOR_0);
    u[1] = a + b;
    u[2] = a - b;
    u[3] = c + d;
    u[4] = c - d;
    u[5] = g[2];
}

// g = G^T u
INLINE void weight_gradient_line(vf g[3], const vf *u, const size_t points) {
    if (points == 5) {
        const vf a = u[1] * 0.5f, b = u[2] * (1.0f / 6), c = u[3] * (1.0f / 6);
        g[0] = u[0] * 0.5f - a - b + c;
        g[1] = b - a + 2 * c;
        g[2] = u[4] - a - b + 4 * c;
        return;
    }
    const vf a = (u[1] + u[2]) * (1 / DIVISOR_A), b = u[1] - u[2], c = (u[3] + u[4]) * (1 / DIVISOR_B), d = u[3] - u[4];
    g[0] = u[0] * (1 / DIVISOR_0) + a + c;
    g[1] = b * (A / DIVISOR_A) + d * (B / DIVISOR_B);
    g[2] = A2 * a + B2 * c + u[5];
}
