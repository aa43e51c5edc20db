// SPDX-License-Identifier: MIT
#include "compress/encoders.hpp"

#include <brotli/encode.h>

#include <algorithm>
#include <limits>

namespace unicoro::compress {
namespace {

struct destroy {
    void operator()(BrotliEncoderState* state) const noexcept { BrotliEncoderDestroyInstance(state); }
};
using state_ptr = std::unique_ptr<BrotliEncoderState, destroy>;

BrotliEncoderOperation operation_of(flush how) noexcept {
    switch (how) {
        case flush::none: return BROTLI_OPERATION_PROCESS;
        case flush::sync: return BROTLI_OPERATION_FLUSH;
        case flush::end: return BROTLI_OPERATION_FINISH;
    }
    return BROTLI_OPERATION_PROCESS;
}

class brotli_encoder final : public encoder {
  public:
    explicit brotli_encoder(state_ptr state) noexcept : state_(std::move(state)) {}

    bool encode(std::string_view input, flush how, std::string& out) override {
        const BrotliEncoderOperation operation = operation_of(how);
        std::size_t left = input.size();
        const auto* next = reinterpret_cast<const std::uint8_t*>(input.data());
        do {
            std::size_t no_room = 0;
            if (BrotliEncoderCompressStream(
                    state_.get(), operation, &left, &next, &no_room, nullptr, nullptr
                ) == BROTLI_FALSE) {
                return false;
            }
            std::size_t size = 0;
            const std::uint8_t* const made = BrotliEncoderTakeOutput(state_.get(), &size);
            out.append(reinterpret_cast<const char*>(made), size);
        } while (left > 0 || BrotliEncoderHasMoreOutput(state_.get()) == BROTLI_TRUE ||
                 (how == flush::end && BrotliEncoderIsFinished(state_.get()) == BROTLI_FALSE));
        return true;
    }

  private:
    state_ptr state_;
};

bool set(BrotliEncoderState* state, BrotliEncoderParameter which, std::uint64_t value) noexcept {
    return BrotliEncoderSetParameter(state, which, static_cast<std::uint32_t>(value)) == BROTLI_TRUE;
}

}  // namespace

std::unique_ptr<encoder> make_brotli_encoder(int level, std::optional<std::uint64_t> size) {
    state_ptr state(BrotliEncoderCreateInstance(nullptr, nullptr, nullptr));
    if (!state) return nullptr;
    const bool accepted = set(state.get(), BROTLI_PARAM_QUALITY, static_cast<std::uint64_t>(level)) &&
                          set(state.get(), BROTLI_PARAM_LGWIN, brotli_window_bits);
    if (!accepted) return nullptr;
    if (size) {
        constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max();
        [[maybe_unused]] const bool hinted = set(state.get(), BROTLI_PARAM_SIZE_HINT, std::min(*size, most));
    }
    return std::make_unique<brotli_encoder>(std::move(state));
}

}  // namespace unicoro::compress
