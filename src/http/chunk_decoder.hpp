// SPDX-License-Identifier: MIT
#pragma once

#include "http/refusal.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace unicoro::http {

/// Checks the bytes between a chunk size and its CRLF against the grammar of chunk extensions
/// (RFC 9112, 7.1.1), one at a time.
class chunk_extension {
  public:
    /// False when `byte` cannot stand here.
    bool take(char byte) noexcept;
    /// Whether the extensions may end here.
    [[nodiscard]] bool may_end() const noexcept;

  private:
    enum class state : std::uint8_t {
        outside,      // right behind the size or a value
        before_mark,  // BWS that only ';' may follow
        before_name,
        name,
        after_name,  // BWS behind a name: ';' or '=' must follow
        before_value,
        value,
        quoted,
        quoted_pair,
    };
    bool take_between(char byte, bool may_have_value) noexcept;

    state state_ = state::outside;
};

/// Takes the chunked transfer coding off a body (RFC 9112, 7.1), a state machine over bytes: it
/// asks for no byte to be kept and gives the same result however the input is split. Stricter than
/// Beast's reader, which puts no bound on extensions and trailers and merges trailers into the
/// head. Trailers are checked and dropped; fields that frame, route or authenticate are refused there
/// (RFC 9110, 6.5.1).
class chunk_decoder {
  public:
    enum class status { need_more, data, complete, refused };

    struct step {
        status what;
        std::size_t consumed;
        std::string_view data;
    };

    /// Ready for a body of at most `body_limit` bytes (0 = no limit) and trailers of
    /// `trailer_limit`.
    void begin(std::uint64_t body_limit, std::size_t trailer_limit) noexcept;

    /// Takes the next piece. `data` ends at the end of a chunk or of the input.
    step decode(std::string_view input, refusal& why);

  private:
    enum class state : std::uint8_t {
        size_first,  // the first digit of a size
        size,
        extension,
        size_lf,
        data,
        data_cr,
        data_lf,
        trailer_first,  // the first byte of a trailer line, or CR
        trailer_name,
        trailer_value,
        trailer_lf,
        last_lf,
        complete,
    };

    bool take(char byte, refusal& why);
    bool take_size(char byte, refusal& why);
    bool take_digit(char byte, refusal& why);
    bool take_extension(char byte, refusal& why);
    bool end_size_line(refusal& why);
    bool take_trailer(char byte, refusal& why);
    void note_name(char byte) noexcept;
    bool end_name(refusal& why) const;
    bool expect(char byte, char wanted, state next, refusal& why);

    state state_ = state::size_first;
    chunk_extension extension_;
    std::uint64_t limit_ = 0;
    std::uint64_t total_ = 0;      // bytes of body announced so far
    std::uint64_t remaining_ = 0;  // of the current chunk; its size while that is read
    std::size_t trailer_room_ = 0;
    std::size_t extension_room_ = 0;
    std::size_t digits_ = 0;
    std::array<char, 24> name_{};  // the first bytes of a trailer's name
    std::size_t name_size_ = 0;
};

}  // namespace unicoro::http
