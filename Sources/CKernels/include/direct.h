// Convolution by the definition over NHWC float32, for evaluation: windows are read where they lie, nothing is gathered.
//
// The work is cut into blocks of a few output pixels, whose sums stay in registers until they are finished: with many
// pictures, one pixel of several pictures, so that taps in the padding are left out; else neighbouring pixels of a
// picture. All single-threaded: the caller divides blocks and panels of output channels.
#pragma once
#include "finish.h"
#include "isa.h"
#include "network.h"

enum { CK_DIRECT_TAPS = 49 };  // that a window has at most

typedef struct {
    // Output channels of a panel; channel counts are multiples of it.
    size_t panel;

    // to [outputs / panel][depth][panel] = weight [depth][outputs] * scale [outputs], panels first ..< last.
    void (*pack)(float *to, const float *weight, const float *scale, size_t depth, size_t outputs, size_t first,
                 size_t last);

    // How many blocks there are.
    size_t (*blocks)(const ck_window *w, size_t batch);

    // Blocks block ..< block_end and panels panel ..< panel_end of y [batch, out_height, out_width, outputs] = the
    // convolution of x [batch, height, width, channels] with the packed weight [outputs / panel][taps * channels][panel],
    // finished. zeros: as many as x has channels.
    void (*convolve)(float *y, const float *x, const float *weight, const float *zeros, const ck_window *w, size_t batch,
                     size_t outputs, size_t block, size_t block_end, size_t panel, size_t panel_end,
                     const ck_finish *finish);

    // Rows first ..< last of y [out_height, out_width, channels] = the largest x of each window inside the picture x
    // [height, width, channels]; channels are a multiple of half a panel.
    void (*largest)(float *y, const float *x, const ck_window *w, size_t first, size_t last);
} ck_direct_kernels;

// The functions compiled for `isa`, which the processor must support.
const ck_direct_kernels *ck_direct(ck_isa isa);
