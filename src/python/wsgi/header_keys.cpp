// SPDX-License-Identifier: MIT
#include "python/wsgi/header_keys.hpp"

#include "base/text.hpp"
#include "python/runtime/text.hpp"

#include <algorithm>
#include <functional>

namespace unicoro::python {
namespace {

/// Keys applications look up. As interned strings they are the very objects of the application's
/// literals, and a dict compares those by address.
constexpr std::array<std::string_view, 26> well_known{
    "HTTP_ACCEPT",
    "HTTP_ACCEPT_CHARSET",
    "HTTP_ACCEPT_ENCODING",
    "HTTP_ACCEPT_LANGUAGE",
    "HTTP_AUTHORIZATION",
    "HTTP_CACHE_CONTROL",
    "HTTP_CONNECTION",
    "HTTP_COOKIE",
    "HTTP_EXPECT",
    "HTTP_FORWARDED",
    "HTTP_HOST",
    "HTTP_IF_MATCH",
    "HTTP_IF_MODIFIED_SINCE",
    "HTTP_IF_NONE_MATCH",
    "HTTP_IF_RANGE",
    "HTTP_ORIGIN",
    "HTTP_PRAGMA",
    "HTTP_RANGE",
    "HTTP_REFERER",
    "HTTP_TRANSFER_ENCODING",
    "HTTP_UPGRADE",
    "HTTP_USER_AGENT",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_REQUESTED_WITH",
};

header_key::role role_of(std::string_view key) noexcept {
    if (key == "HTTP_HOST") return header_key::role::host;
    if (key == "HTTP_CONTENT_TYPE") return header_key::role::content_type;
    if (key == "HTTP_CONTENT_LENGTH") return header_key::role::content_length;
    if (key == "HTTP_COOKIE") return header_key::role::cookie;
    if (key == "HTTP_AUTHORIZATION" || key == "HTTP_PROXY_AUTHORIZATION") {
        return header_key::role::secret;
    }
    return header_key::role::plain;
}

py_ref make_key(const std::string& key) {
    // Others are not interned: since 3.12 that would keep what a client invents for ever.
    const bool known = std::binary_search(well_known.begin(), well_known.end(), key);
    return known ? py_ref::steal(PyUnicode_InternFromString(key.c_str())) : latin1(key);
}

}  // namespace

const header_key& header_keys::find(std::string_view name) {
    header_key& place = entries_[std::hash<std::string_view>{}(name) % entries_.size()];
    if (place.key && place.name == name) return place;
    std::string key = "HTTP_" + base::to_upper(name);
    std::replace(key.begin(), key.end(), '-', '_');
    // "Content_Type", where such names are let in, is a field of its own: no alias of the real one.
    const bool underscore = name.find('_') != std::string_view::npos;
    place.kind = underscore ? header_key::role::plain : role_of(key);
    place.key = make_key(key);
    place.name = name;
    return place;
}

}  // namespace unicoro::python
