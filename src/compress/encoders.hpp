// SPDX-License-Identifier: MIT
#pragma once

#include "compress/encoder.hpp"

#include <cstddef>

namespace unicoro::compress {

/// A back reference reaches this far, in powers of two: it bounds the memory of a response here, and what the
/// client has to keep.
inline constexpr int brotli_window_bits = 18;
inline constexpr int zstd_window_bits = 17;
inline constexpr int gzip_window_bits = 15;

/// What an encoder's output grows by.
inline constexpr std::size_t output_step = std::size_t{16} * 1024;

// One per library, as make_encoder. Each is there only where its library is built in.
[[nodiscard]] std::unique_ptr<encoder> make_gzip_encoder(int level, std::optional<std::uint64_t> size);
[[nodiscard]] std::unique_ptr<encoder> make_brotli_encoder(int level, std::optional<std::uint64_t> size);
[[nodiscard]] std::unique_ptr<encoder> make_zstd_encoder(int level, std::optional<std::uint64_t> size);

}  // namespace unicoro::compress
