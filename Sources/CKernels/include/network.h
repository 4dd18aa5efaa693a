// The loops of a convolutional network over NHWC float32, all single-threaded: the caller divides the work.
//
// "rows" are the pixels of all images, N x H x W of them; "channels" vary fastest. Pointers need no alignment, sizes may
// be odd. Each function says what it computes; tests hold it against the same loop written plainly.
#pragma once
#include "isa.h"
#include <stddef.h>
#include <stdint.h>

// One window over a picture, for convolutions and pooling. Output pixel (oy, ox) reads the input at
// (oy * stride - padding + ky, ox * stride - padding + kx).
typedef struct {
    size_t height, width, channels;           // the input
    size_t out_height, out_width;             // the output
    size_t kernel_height, kernel_width;
    size_t stride, padding;
} ck_window;

// What a ReLU got: x * scale + shift for an x named elsewhere; plus r, or r * r_scale + r_shift, where r is not NULL.
typedef struct {
    const float *scale, *shift;
    const float *r;  // [rows, channels]
    const float *r_scale, *r_shift;
} ck_relu;

// The index of a window whose largest value no tap gets a gradient for.
enum { CK_NOWHERE = 255 };

typedef struct {
    // sum[c] += x - origin[c] and squares[c] += (x - origin[c])^2 over the rows; x [rows, channels].
    void (*statistics)(const float *x, size_t rows, size_t channels, const float *origin, double *sum, double *squares);

    // y = x * scale + shift, and no less than `least` (0 for a ReLU, -infinity for none); y may be x.
    void (*affine)(float *y, const float *x, size_t rows, size_t channels, const float *scale, const float *shift,
                   float least);

    // y = max(0, x * scale + shift + (r * r_scale + r_shift)); r_scale and r_shift may be NULL for r itself.
    void (*affine_add_relu)(float *y, const float *x, size_t rows, size_t channels, const float *scale,
                            const float *shift, const float *r, const float *r_scale, const float *r_shift);

    // d = 0 where the ReLU was off, then sum[c] += d and product[c] += d * (x - mean[c]).
    // relu may be NULL: nothing is masked then.
    void (*mask_and_reduce)(float *d, const ck_relu *relu, const float *x, size_t rows, size_t channels,
                            const float *mean, double *sum, double *product);

    // dx = a * d + b * (x - mean) + c, per channel; dx may be d or x.
    void (*normalize_backward)(float *dx, const float *d, const float *x, size_t rows, size_t channels, const float *a,
                               const float *b, const float *mean, const float *c);

    // Rows first ..< first + rows of the matrix whose row (oy * out_width + ox) holds the window of that output pixel
    // of one picture x [height, width, channels], 0 outside it: to [rows, kernel_height * kernel_width * channels].
    void (*gather)(float *to, const float *x, const ck_window *w, size_t first, size_t rows);

    // The transpose of `gather`: dx += the windows `from`.
    void (*scatter_add)(float *dx, const float *from, const ck_window *w, size_t first, size_t rows);

    // y [out_height, out_width, channels] = the largest max(0, x * scale + shift) of each window inside the picture;
    // index = its position ky * kernel_width + kx, the first of equals, or CK_NOWHERE where that is 0. index may be NULL.
    // scale and shift may be NULL: the largest x then.
    void (*max_pool)(float *y, uint8_t *index, const float *x, const ck_window *w, const float *scale,
                     const float *shift);

    // dx = pixels first ..< first + rows of one picture's gradient [height, width, channels] by what was pooled: the sum of
    // dy over the windows whose index is at the pixel.
    void (*max_pool_backward)(float *dx, const float *dy, const uint8_t *index, const ck_window *w, size_t first,
                              size_t rows);

    // y[c] = the mean of x [rows, channels] over its rows.
    void (*mean_rows)(float *y, const float *x, size_t rows, size_t channels);

    // y += x.
    void (*add)(float *y, const float *x, size_t count);

    // d = 0 where activation <= 0.
    void (*relu_backward)(float *d, const float *activation, size_t count);

    // One step of Adam (Kingma and Ba 2015, algorithm 1, with the bias corrections given as factors):
    // m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2, w -= rate * m / (sqrt(v) * root_correction + epsilon).
    void (*adam)(float *w, float *m, float *v, const float *g, size_t count, float rate, float beta1, float beta2,
                 float epsilon, float root_correction);
} ck_network_kernels;

// The loops compiled for `isa`, which the processor must support.
const ck_network_kernels *ck_network(ck_isa isa);
