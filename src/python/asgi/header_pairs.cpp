// SPDX-License-Identifier: MIT
#include "python/asgi/header_pairs.hpp"

#include "base/text.hpp"
#include "python/runtime/text.hpp"

#include <functional>
#include <utility>

namespace unicoro::python {
namespace {

constexpr std::size_t longest_kept = 256;

}  // namespace

header_pairs::known_name& header_pairs::name_of(std::string_view name) {
    known_name& place = names_[std::hash<std::string_view>{}(name) % names_.size()];
    if (place.lower && place.written == name) return place;
    const std::string lower = base::to_lower(name);
    place.lower = bytes_of(lower);
    place.written = name;
    place.secret = lower == "cookie" || lower == "authorization" || lower == "proxy-authorization";
    return place;
}

py_ref header_pairs::get(std::string_view name, std::string_view value) {
    const known_name& known = name_of(name);
    if (!known.lower) return {};
    const bool keep = !known.secret && value.size() <= longest_kept;
    known_pair* place = nullptr;
    std::size_t hash = 0;
    if (keep) {
        hash = std::hash<std::string_view>{}(value) + reinterpret_cast<std::size_t>(&known);
        place = &pairs_[hash % pairs_.size()];
        if (place->pair && place->hash == hash && place->name == &known) {
            PyObject* const pair = place->pair.get();
            // The place of a name may have been given to another one since.
            const bool same =
                PyTuple_GET_ITEM(pair, 0) == known.lower.get() && view_of(PyTuple_GET_ITEM(pair, 1)) == value;
            if (same) return py_ref::borrow(pair);
        }
    }
    const py_ref text = bytes_of(value);
    if (!text) return {};
    py_ref pair = py_ref::steal(PyTuple_Pack(2, known.lower.get(), text.get()));
    if (keep && pair) {
        place->hash = hash;
        place->name = &known;
        place->pair = py_ref::borrow(pair.get());
    }
    return pair;
}

}  // namespace unicoro::python
