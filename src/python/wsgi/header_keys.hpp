// SPDX-License-Identifier: MIT
#pragma once

#include "python/runtime/py_ref.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace unicoro::python {

/// What a request field becomes in an environ.
struct header_key {
    enum class role : std::uint8_t {
        plain,           ///< HTTP_NAME
        host,            ///< HTTP_HOST; absolute-form overrules the field (RFC 9112, 3.2.2)
        content_type,    ///< CONTENT_TYPE
        content_length,  ///< CONTENT_LENGTH
        secret,          ///< HTTP_NAME, and the value is kept nowhere (Authorization, Cookie)
        cookie,          ///< as secret; repeats are joined by "; " (RFC 6265, 5.4)
    };
    std::string name;  ///< as the client wrote it
    py_ref key;
    role kind = role::plain;
};

/// Field names to environ keys, the names seen lately kept. Direct mapped, so a client that invents
/// names gains nothing.
class header_keys {
  public:
    header_keys() = default;
    header_keys(const header_keys&) = delete;
    header_keys& operator=(const header_keys&) = delete;

    /// Valid until the next call. Its key is nothing, with MemoryError set, when there is no
    /// memory.
    [[nodiscard]] const header_key& find(std::string_view name);

  private:
    std::array<header_key, 256> entries_;
};

}  // namespace unicoro::python
