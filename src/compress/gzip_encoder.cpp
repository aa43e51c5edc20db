// SPDX-License-Identifier: MIT
#include "compress/encoders.hpp"

#include <zlib.h>

#include <algorithm>
#include <bit>
#include <limits>

namespace unicoro::compress {
namespace {

int flush_of(flush how) noexcept {
    switch (how) {
        case flush::none: return Z_NO_FLUSH;
        case flush::sync: return Z_SYNC_FLUSH;
        case flush::end: return Z_FINISH;
    }
    return Z_NO_FLUSH;
}

/// No larger than a body needs it; zlib's least is 9.
int window_for(std::optional<std::uint64_t> size) noexcept {
    constexpr int least = 9;
    if (!size || *size > (1U << static_cast<unsigned>(gzip_window_bits))) return gzip_window_bits;
    return std::max(least, static_cast<int>(std::bit_width(*size)));
}

class gzip_encoder final : public encoder {
  public:
    gzip_encoder(int level, std::optional<std::uint64_t> size) {
        constexpr int gzip_format = 16;
        const int window = window_for(size);
        // 512 bytes of it for each of the window's, as zlib has them by default.
        const int memory = std::clamp(window - 7, 1, 8);
        made_ = deflateInit2(&state_, level, Z_DEFLATED, gzip_format + window, memory, Z_DEFAULT_STRATEGY) ==
                Z_OK;
    }
    ~gzip_encoder() override {
        if (made_) deflateEnd(&state_);
    }

    [[nodiscard]] bool made() const noexcept { return made_; }

    bool encode(std::string_view input, flush how, std::string& out) override {
        do {
            const std::size_t taken = std::min<std::size_t>(input.size(), std::numeric_limits<uInt>::max());
            const bool last = taken == input.size();
            if (!encode_some(input.substr(0, taken), last ? flush_of(how) : Z_NO_FLUSH, out)) return false;
            input.remove_prefix(taken);
        } while (!input.empty());
        return true;
    }

  private:
    bool encode_some(std::string_view input, int how, std::string& out) {
        state_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
        state_.avail_in = static_cast<uInt>(input.size());
        do {
            const std::size_t before = out.size();
            out.resize(before + output_step);
            state_.next_out = reinterpret_cast<Bytef*>(out.data() + before);
            state_.avail_out = static_cast<uInt>(output_step);
            const int answer = deflate(&state_, how);
            out.resize(out.size() - state_.avail_out);
            // Z_BUF_ERROR: there was nothing to do.
            if (answer != Z_OK && answer != Z_STREAM_END && answer != Z_BUF_ERROR) return false;
        } while (state_.avail_out == 0);
        return true;
    }

    z_stream state_{};
    bool made_ = false;
};

}  // namespace

std::unique_ptr<encoder> make_gzip_encoder(int level, std::optional<std::uint64_t> size) {
    auto made = std::make_unique<gzip_encoder>(level, size);
    if (!made->made()) return nullptr;
    return made;
}

}  // namespace unicoro::compress
