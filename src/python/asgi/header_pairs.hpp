// SPDX-License-Identifier: MIT
#pragma once

#include "python/runtime/py_ref.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace unicoro::python {

/// Request fields as tuples (name in lower case, value) of bytes; those seen lately are made once, as
/// most requests of a client have them in common. Direct mapped, so the size is bounded. Values that
/// are secrets or long are not kept.
class header_pairs {
  public:
    header_pairs() = default;
    header_pairs(const header_pairs&) = delete;
    header_pairs& operator=(const header_pairs&) = delete;

    /// With the GIL; nothing with MemoryError set.
    [[nodiscard]] py_ref get(std::string_view name, std::string_view value);

  private:
    struct known_name {
        std::string written;  ///< as the client wrote it
        py_ref lower;
        bool secret = false;
    };
    struct known_pair {
        std::size_t hash = 0;
        const known_name* name = nullptr;
        py_ref pair;
    };

    [[nodiscard]] known_name& name_of(std::string_view name);

    std::array<known_name, 128> names_;
    std::array<known_pair, 512> pairs_;
};

}  // namespace unicoro::python
