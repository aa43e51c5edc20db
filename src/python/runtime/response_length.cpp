// SPDX-License-Identifier: MIT
#include "python/runtime/response_length.hpp"

#include "python/runtime/python.hpp"

#include <array>
#include <charconv>
#include <string_view>

namespace unicoro::python {

bool announce_length(http::response_head& head, std::uint64_t length) {
    if (head.content_length()) return true;
    std::array<char, 24> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), length).ptr;
    const std::string_view text(digits.data(), static_cast<std::size_t>(end - digits.data()));
    if (!head.add("Content-Length", text)) return true;
    PyErr_SetString(PyExc_SystemError, "the length of the body could not be announced");
    return false;
}

}  // namespace unicoro::python
