// SPDX-License-Identifier: MIT
#include "python/runtime/text_cache.hpp"

#include "python/runtime/text.hpp"

#include <cstring>
#include <functional>

namespace unicoro::python {
namespace {

constexpr std::size_t longest_kept = 256;

bool holds(PyObject* text, std::string_view bytes) noexcept {
    return static_cast<std::size_t>(PyUnicode_GET_LENGTH(text)) == bytes.size() &&
           std::memcmp(PyUnicode_1BYTE_DATA(text), bytes.data(), bytes.size()) == 0;
}

}  // namespace

py_ref text_cache::get(std::string_view bytes) noexcept {
    // Python keeps the strings of one byte itself.
    if (bytes.size() < 2 || bytes.size() > longest_kept) return latin1(bytes);
    const std::size_t hash = std::hash<std::string_view>{}(bytes);
    entry& place = entries_[hash % entries_.size()];
    if (place.text && place.hash == hash && holds(place.text.get(), bytes)) {
        return py_ref::borrow(place.text.get());
    }
    py_ref text = latin1(bytes);
    place.hash = hash;
    place.text = py_ref::borrow(text.get());
    return text;
}

}  // namespace unicoro::python
