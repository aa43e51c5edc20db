// SPDX-License-Identifier: MIT
#include "compress/encoder.hpp"

#include "compress/built_in.hpp"
#include "compress/encoders.hpp"

namespace unicoro::compress {

// What is above takes many times the memory, and longer, for a percent: that is for files, once.
levels levels_of(coding which) noexcept {
    switch (which) {
        case coding::zstd: return {1, 6};
        case coding::br: return {0, 6};
        case coding::gzip: return {1, 9};
    }
    return {0, 0};
}

std::unique_ptr<encoder> make_encoder(coding which, int level, std::optional<std::uint64_t> size) {
    switch (which) {
        case coding::zstd:
            if constexpr (has_zstd) return make_zstd_encoder(level, size);
            break;
        case coding::br:
            if constexpr (has_brotli) return make_brotli_encoder(level, size);
            break;
        case coding::gzip:
            if constexpr (has_gzip) return make_gzip_encoder(level, size);
            break;
    }
    return nullptr;
}

}  // namespace unicoro::compress
