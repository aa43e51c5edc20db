// SPDX-License-Identifier: MIT
#pragma once

#include "compress/coding.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace unicoro::compress {

/// How much of what was given must come out.
enum class flush : std::uint8_t {
    none,  ///< what fits best
    sync,  ///< all of it: the receiver can decode it now
    end,   ///< all of it, and the end
};

/// Compresses one body, piece by piece. Owns the memory it works in, of which docs/compression.md tells the
/// amount, and frees it in the end. Any thread, one at a time; no step of it waits for anything.
class encoder {
  public:
    encoder() = default;
    encoder(const encoder&) = delete;
    encoder& operator=(const encoder&) = delete;
    virtual ~encoder() = default;

    /// Appends to `out` what comes of `input`. False when memory is short: what `out` holds then is no part
    /// of a body. Not again after `flush::end`.
    [[nodiscard]] virtual bool encode(std::string_view input, flush how, std::string& out) = 0;
};

/// The range of levels of a coding.
struct levels {
    int least;
    int most;
};
[[nodiscard]] levels levels_of(coding which) noexcept;

/// `level` is of `levels_of`, `size` that of the whole body where it is known, which saves memory. Null when
/// memory is short, and for a coding that is not built in.
[[nodiscard]] std::unique_ptr<encoder> make_encoder(
    coding which, int level, std::optional<std::uint64_t> size
);

}  // namespace unicoro::compress
