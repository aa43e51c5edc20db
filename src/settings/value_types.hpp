// SPDX-License-Identifier: MIT
#pragma once

#include "settings/names.hpp"
#include "settings/value_type.hpp"

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unicoro::settings {

using value_type_ptr = std::shared_ptr<const value_type>;

inline constexpr std::int64_t no_maximum = std::numeric_limits<std::int64_t>::max();

/// A whole number, also written as a decimal string.
[[nodiscard]] value_type_ptr whole_number(std::int64_t least, std::int64_t most = no_maximum);

/// A whole number up to `most`, or "auto": the CPUs this process may use, counted at each start.
[[nodiscard]] value_type_ptr worker_count(std::int64_t most);

/// Seconds as integer, decimal or numeric string, kept to the millisecond, a year at most.
[[nodiscard]] value_type_ptr seconds();

/// A share of a whole: a decimal from 0 to 1, also as a string.
[[nodiscard]] value_type_ptr share();

/// Bytes as an integer or a string with k, M, G or T (powers of 1024); canonical: bytes.
[[nodiscard]] value_type_ptr byte_size(std::int64_t most = no_maximum);

/// An octal mode: an integer, or a string read as the shell does ("0o022", "0022", "18").
[[nodiscard]] value_type_ptr file_mode();

/// true or false, also as strings.
[[nodiscard]] value_type_ptr boolean();

enum class presence {
    required,        ///< a string that is not empty
    may_be_empty,    ///< "" is a value
    optional_value,  ///< null and "" say "none"; canonical: null
};

/// One line of text, blanks at both ends taken off.
[[nodiscard]] value_type_ptr text(presence must_be = presence::optional_value);

/// A word that `choice` accepts: its canonical spelling, or why it is refused.
struct choice_option {
    std::string_view written;
    std::string_view canonical = {};  ///< empty = the same as written
    std::string_view refusal = {};    ///< not empty = never accepted, for this reason
    bool offered = true;              ///< named in messages and by editors
};

/// One of some words; case does not count.
[[nodiscard]] value_type_ptr choice(std::vector<choice_option> options);

/// One of the words of an enumeration, or of some others.
template <has_words Enum>
[[nodiscard]] value_type_ptr choice_of(const std::vector<choice_option>& others = {}) {
    std::vector<choice_option> options;
    for (const auto& [value, word] : words_of<Enum>) options.push_back({word});
    options.insert(options.end(), others.begin(), others.end());
    return choice(std::move(options));
}

/// How the application runs: the words of `worker_class`, and names of gunicorn's and its kin's classes that
/// mean the same ("gunicorn.workers.ggevent.GeventWorker", "egg:gunicorn#gevent").
[[nodiscard]] value_type_ptr worker_class_name();

/// The name of a Python class, derived from `gunicorns` (which is not asked about).
[[nodiscard]] value_type_ptr logger_class_name(std::string_view gunicorns);

/// The name or the number of a user or group; canonical: text, or null.
[[nodiscard]] value_type_ptr account();

/// Checks one entry of a list: what is wrong with it ("must be ..."), or "".
using entry_check = std::string (*)(std::string_view entry);

enum class commas { separate, are_text };

/// A list of strings, or one string: with `commas::separate` cut at its commas. `entries` names
/// what the entries are.
[[nodiscard]] value_type_ptr text_list(
    commas in_strings, std::string_view entries, entry_check check = nullptr
);

/// Addresses, strict CIDR blocks and "*" as a list or a string with commas.
[[nodiscard]] value_type_ptr network_list();

/// Header field names as a list or a string with commas, or "*"; canonical: upper case.
[[nodiscard]] value_type_ptr field_name_list();

/// Where syslog listens, as `log::parse_syslog_address` reads it.
[[nodiscard]] value_type_ptr syslog_address();

/// Where a StatsD daemon listens, as `log::parse_statsd_address` reads it, or none.
[[nodiscard]] value_type_ptr statsd_address();

/// Versions of HTTP, "h1" and "h2", as a list or a string with commas.
[[nodiscard]] value_type_ptr http_protocol_list();

/// An object of header field names and the text that makes each of them mean https.
[[nodiscard]] value_type_ptr field_map();

/// "NAME=VALUE" strings, or an object; canonical: an array of those strings.
[[nodiscard]] value_type_ptr environment_list();

/// Addresses to listen on; canonical: an array of strings that `parse_bind_address` reads. Where it is
/// optional, null, "" and [] say "none"; canonical: [].
[[nodiscard]] value_type_ptr bind_list(presence must_be = presence::required);

/// An object of path prefixes and the app spec served under each.
[[nodiscard]] value_type_ptr app_map();

/// An object of path prefixes, "/" aside, and the folder of each.
[[nodiscard]] value_type_ptr folder_map();

/// An object of patterns of paths and the Cache-Control field of each.
[[nodiscard]] value_type_ptr cache_map();

/// Rules for the requests below a path; canonical: those of the longest path first.
[[nodiscard]] value_type_ptr rule_list();

/// An object of hooks and the function of each; canonical: "module:function" or "/file.py:function".
[[nodiscard]] value_type_ptr hook_map();

/// The names of gunicorn's server hooks.
[[nodiscard]] std::vector<std::string_view> hook_names();

/// Why a hook of gunicorn cannot be used here, and the remedy; empty when it can.
[[nodiscard]] std::string_view hook_refusal(std::string_view name);

/// True for the names of gunicorn's server hooks, those that are refused here included.
[[nodiscard]] bool is_hook(std::string_view name);

/// An object, or the name of one in a Python module ("module:name", "/file.py:name").
[[nodiscard]] value_type_ptr named_object();

/// Anything at all: for what has no meaning here.
[[nodiscard]] value_type_ptr anything();

/// "module:name" or "/file.py:name" of something in Python, which gunicorn also writes as "module.name";
/// "" for anything else.
[[nodiscard]] std::string canonical_reference(std::string_view text);

}  // namespace unicoro::settings
