// SPDX-License-Identifier: MIT
#pragma once

#include "log/access_format.hpp"

#include <span>
#include <string_view>

namespace unicoro::log {

enum class atom_kind : char { text, whole_number };

/// What of a record an atom needs to be collected.
enum class atom_needs : char {
    nothing,
    request_fields,
    response_fields,
    environ,
    wait,
    first_byte,
    cpu_time,
};

/// A value that a line of the access log may have, in gunicorn's notation, in the JSON object, or in both.
/// A new one is a row of the table, and a member of `access_record` where its value is not there yet.
struct access_atom {
    char letter = '\0';         ///< `%(X)s`, or `%({name}X)s`; '\0' = in the JSON object only
    bool named = false;         ///< the latter
    std::string_view key = {};  ///< its key in the JSON object; empty = not there
    access_format::printer print = nullptr;
    access_format::printer print_json = nullptr;
    atom_kind kind = atom_kind::text;
    atom_needs needs = atom_needs::nothing;
};

/// All of them, in the order of the JSON object.
[[nodiscard]] std::span<const access_atom> access_atoms() noexcept;

}  // namespace unicoro::log
