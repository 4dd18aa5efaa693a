// The one-dimensional transforms of the Winograd family, after Lavin and Gray, section 4.3; a part of winograd.inc.h.
//
// For tiles of 4 outputs the 6 points are 0, 1, -1, 2, -2 and infinity, for tiles of 3 outputs the 5 are 0, 1, -1, 2 and
// infinity. `points` is known where the transforms are compiled.

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
    const vf a = d[4] - 4 * d[2], b = d[3] - 4 * d[1], c = d[4] - d[2], e = 2 * (d[3] - d[1]);
    y[0] = 4 * d[0] - 5 * d[2] + d[4];
    y[1] = a + b;
    y[2] = a - b;
    y[3] = c + e;
    y[4] = c - e;
    y[5] = 4 * d[1] - 5 * d[3] + d[5];
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
    y[1] = b + 2 * d;
    y[2] = a + 4 * c;
    y[3] = b + 8 * d + m[5];
}

// z = A y
INLINE void gradient_line(vf *z, const vf *y, const size_t points) {
    const vf a = y[0] + y[2], c = y[0] + 4 * y[2];
    if (points == 5) {
        z[0] = y[0];
        z[1] = a + y[1];
        z[2] = a - y[1];
        z[3] = c + 2 * y[1];
        z[4] = y[2];
        return;
    }
    const vf b = y[1] + y[3], d = 2 * y[1] + 8 * y[3];
    z[0] = y[0];
    z[1] = a + b;
    z[2] = a - b;
    z[3] = c + d;
    z[4] = c - d;
    z[5] = y[3];
}

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
INLINE void weight_gradient_line(vf g[3], const vf *u, const size_t points) {
    if (points == 5) {
        const vf a = u[1] * 0.5f, b = u[2] * (1.0f / 6), c = u[3] * (1.0f / 6);
        g[0] = u[0] * 0.5f - a - b + c;
        g[1] = b - a + 2 * c;
        g[2] = u[4] - a - b + 4 * c;
        return;
    }
    const vf a = u[1] + u[2], b = u[1] - u[2], c = u[3] + u[4], d = u[3] - u[4];
    g[0] = u[0] * 0.25f - a * (1.0f / 6) + c * (1.0f / 24);
    g[1] = d * (1.0f / 12) - b * (1.0f / 6);
    g[2] = u[5] + (c - a) * (1.0f / 6);
}
