// The peer of `clusterd-bench convolution`: 3x3 convolutions by oneDNN, a line of JSON a measurement.
// deploy/compare-convolutions builds and runs it; Debian's package is libdnnl-dev.
//
//     onednn-convolutions THREADS REPEAT BATCH SIDE CHANNELS...
//
// Winograd where the library has it for this processor, else its direct convolution. Layouts are the library's own choice,
// and reorders into them are not counted.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <omp.h>
#include <string>
#include <unordered_map>
#include <vector>

#include <oneapi/dnnl/dnnl.hpp>

using namespace dnnl;
using tag = memory::format_tag;
using type = memory::data_type;

static double median_seconds(int repeat, const std::function<void()> &body) {
    body();
    std::vector<double> seconds;
    for (int i = 0; i < repeat; i++) {
        const auto start = std::chrono::steady_clock::now();
        body();
        seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    std::sort(seconds.begin(), seconds.end());
    return seconds[seconds.size() / 2];
}

static memory filled(const memory::desc &description, const engine &engine) {
    memory result(description, engine);
    auto *values = static_cast<float *>(result.get_data_handle());
    for (size_t i = 0; i < description.get_size() / sizeof(float); i++) values[i] = static_cast<float>(i % 97) / 97;
    return result;
}

int main(int count, char **arguments) {
    if (count < 6) return std::fprintf(stderr, "usage: %s THREADS REPEAT BATCH SIDE CHANNELS...\n", arguments[0]), 64;
    const int repeat = std::atoi(arguments[2]);
    const memory::dim batch = std::atol(arguments[3]);
    omp_set_num_threads(std::atoi(arguments[1]));
    const engine engine(engine::kind::cpu, 0);
    stream stream(engine);
    for (int argument = 5; argument < count; argument++) {
        const memory::dim channels = std::atol(arguments[argument]);
        const memory::dim side = std::max<memory::dim>(1, std::atol(arguments[4]) * 64 / channels);
        const auto any = [](memory::dims dims) { return memory::desc(dims, type::f32, tag::any); };
        const auto pictures = any({batch, channels, side, side}), weights = any({channels, channels, 3, 3});
        const memory::dims strides{1, 1}, padding{1, 1};
        const double work = 2e-9 * batch * side * side * 9 * channels * channels;

        for (const std::string direction : {"forward", "backward-data", "backward-weights"}) {
            for (const auto algorithm : {algorithm::convolution_winograd, algorithm::convolution_direct}) {
                try {
                    const convolution_forward::primitive_desc forward(
                        {prop_kind::forward_training, algorithm, pictures, weights, pictures, strides, padding, padding},
                        engine);
                    primitive primitive;
                    std::unordered_map<int, memory> operands;
                    if (direction == "forward") {
                        primitive = convolution_forward(forward);
                        operands = {{DNNL_ARG_SRC, filled(forward.src_desc(), engine)},
                                    {DNNL_ARG_WEIGHTS, filled(forward.weights_desc(), engine)},
                                    {DNNL_ARG_DST, filled(forward.dst_desc(), engine)}};
                    } else if (direction == "backward-data") {
                        const convolution_backward_data::primitive_desc backward(
                            {algorithm, pictures, weights, pictures, strides, padding, padding}, engine, forward);
                        primitive = convolution_backward_data(backward);
                        operands = {{DNNL_ARG_DIFF_SRC, filled(backward.diff_src_desc(), engine)},
                                    {DNNL_ARG_WEIGHTS, filled(backward.weights_desc(), engine)},
                                    {DNNL_ARG_DIFF_DST, filled(backward.diff_dst_desc(), engine)}};
                    } else {
                        const convolution_backward_weights::primitive_desc backward(
                            {algorithm, pictures, weights, pictures, strides, padding, padding}, engine, forward);
                        primitive = convolution_backward_weights(backward);
                        operands = {{DNNL_ARG_SRC, filled(backward.src_desc(), engine)},
                                    {DNNL_ARG_DIFF_WEIGHTS, filled(backward.diff_weights_desc(), engine)},
                                    {DNNL_ARG_DIFF_DST, filled(backward.diff_dst_desc(), engine)}};
                    }
                    const double seconds = median_seconds(repeat, [&] {
                        primitive.execute(stream, operands);
                        stream.wait();
                    });
                    std::printf("{\"algorithm\":\"%s\",\"channels\":%ld,\"direction\":\"%s\",\"gflop_per_s\":%.2f}\n",
                                algorithm == algorithm::convolution_winograd ? "winograd" : "direct", channels,
                                direction.c_str(), work / seconds);
                    break;
                } catch (const error &failure) {
                    if (failure.status != dnnl_unimplemented) throw;
                }
            }
        }
    }
}
