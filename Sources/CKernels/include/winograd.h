// Winograd's minimal filtering F(4x4, 3x3) for 3x3 convolutions with stride 1 and padding 1 (Lavin and Gray 2016,
// https://arxiv.org/abs/1509.09308), over NHWC float32, all single-threaded: the caller divides the work.
//
// A picture is cut into tiles of 4x4 output pixels, each made from 6x6 input pixels. Both are taken to a space of 6x6 = 36
// positions where the convolution is one matrix product a position. Matrices there lie in panels of `panel`
// channels, [position][panel][row][channel of the panel], so that products read and write whole cache lines in order.
//
// A tile may also be 3 pixels high or wide. A side of 3 is made from 5 pixels and does without one of the 6 points, so that
// all tiles share one transformed weight and have rows in one matrix; some positions' matrices have rows for some tiles only.
// A picture of 7 pixels is 4 + 3, with 11 x 11 positions in place of 12 x 12.
#pragma once
#include "finish.h"
#include "isa.h"
#include <stdbool.h>
#include <stddef.h>

// A batch of pictures cut into tiles; input and output have the same height and width. Tiles are numbered kind by kind: tall
// and narrow ones, tall and wide, low and wide, low and narrow; those of a kind picture by picture. So the tiles with 6
// points along either side, or along both, follow each other.
typedef struct {
    size_t batch, height, width;
    size_t tall, low;     // rows of tiles of a picture that are 4 pixels high, and then those that are 3 high
    size_t wide, narrow;  // the same for columns
} ck_tiling;

// Positions come first that all tiles have, then those with the sixth point vertically, then the others that have it
// horizontally.
enum {
    CK_POSITIONS_LOW_NARROW = 25,
    CK_POSITIONS_TALL_WIDE = 36,
    CK_POSITION_TALL = 25,       // 25 ..< 30: of tall tiles
    CK_POSITION_TALL_WIDE = 30,  // of those that are wide, too
    CK_POSITION_WIDE = 31,       // 31 ..< 36: of wide tiles
};

// A scale and a shift a channel, other ones for each group of pictures.
typedef struct {
    const float *scale, *shift;  // of the first group's channels
    size_t pictures;             // of a group
    size_t stride;               // from one group's scales and shifts to the next's
} ck_affine;

// What becomes of a result v on its way to memory: at most one of four things, or the first and the last.
typedef struct {
    // It is added to what is there.
    bool adds;
    // If not NULL, it is finished.
    const ck_finish *finish;
    // If not NULL, v itself is stored and sum[c] += v - origin[c], product[c] += (v - origin[c])^2.
    const float *origin;
    // If not NULL, v is set to 0 where x * scale + shift <= 0, x [batch, height, width, channels] being what a ReLU behind
    // that affine got; then sum[c] += v and product[c] += v * (x - mean[c]), mean with the affine's stride. With `adds` it
    // is set to 0 where what the ReLU made is: more than x went into it.
    const float *x;
    const float *rectified;
    const ck_affine *affine;
    const float *mean;
    // [groups][2][channels]: sums of each group of `pictures`, then products.
    float *sums;
    size_t pictures;
} ck_epilogue;

// Where transformed tiles lie: [positions][channels / panel][rows][panel], positions `distance` floats apart. Where that is
// an odd number of cache lines, the values of a tile and channel lie in different sets of a cache.
typedef struct {
    size_t first, count;  // the tiling's tiles first ..< first + count are rows 0 ..< count
    size_t rows;          // of a panel
    size_t distance;
} ck_tiles;

// Functions that take panels first ..< last find the first of these at the start of their transformed argument.
typedef struct {
    // Channels of a panel; the functions below take channel counts that are multiples of it.
    size_t panel;

    // to [positions][outputs / panel][inputs][panel], positions `distance` floats apart, = the transformed weight
    // [3][3][inputs][outputs], all 36 positions or the first 25. With `transposes`, of the weight turned by 180 degrees with
    // inputs and outputs exchanged, which is what the gradient by the input takes: to [positions][inputs / panel][outputs]
    // [panel].
    void (*weights)(float *to, const float *weight, size_t inputs, size_t outputs, size_t positions, size_t distance,
                    bool transposes, size_t first, size_t last);

    // to = the transformed neighbourhoods of tiles of x [batch, height, width, channels], 0 outside the picture. If
    // affine is not NULL x is max(0, x * scale + shift).
    void (*input)(float *to, const float *x, const ck_tiling *tiling, size_t channels, const ck_tiles *tiles,
                  const ck_affine *affine);

    // y [batch, height, width, channels] at the tiles' pixels and the panels' channels = the result of products.
    void (*output)(float *y, const float *from, const ck_tiling *tiling, size_t channels, size_t first, size_t last,
                   const ck_tiles *tiles, const ck_epilogue *epilogue);

    // to = the adjoint of `output`: the transformed gradient by the output.
    void (*gradient)(float *to, const float *dy, const ck_tiling *tiling, size_t channels, const ck_tiles *tiles);

    // dweight [3][3][inputs][outputs] = the adjoint of `weights`, from [positions][outputs / panel][inputs][panel].
    void (*weight_gradient)(float *dweight, const float *from, size_t inputs, size_t outputs, size_t positions,
                            size_t distance, size_t first, size_t last);

    // c [panels][stride][panel] = a [k / panel][stride][panel] times b [panels][k][panel], `rows` rows of each panel.
    void (*product)(float *c, const float *a, const float *b, size_t rows, size_t stride, size_t k, size_t panels);

    // c [panels][m][panel] (+)= the transpose of a [m / panel][stride][panel] times b [panels][stride][panel], `rows` rows
    // of each panel of a and b.
    void (*product_transposed)(float *c, const float *a, const float *b, size_t rows, size_t stride, size_t m,
                               size_t panels, bool adds);
} ck_winograd_kernels;

// The functions compiled for `isa`, which the processor must support.
const ck_winograd_kernels *ck_winograd(ck_isa isa);
