// SPDX-License-Identifier: MIT
#include "app/file_redirect.hpp"

#include <array>

namespace unicoro::app {
namespace {

// Of the body that is not sent. What tells the file's state the file itself knows best, in the coding in
// which it is sent; nginx, too, keeps none of these.
constexpr std::array of_the_body{
    std::string_view("Content-Encoding"),
    std::string_view("Content-Range"),
    std::string_view("Content-Digest"),
    std::string_view("Repr-Digest"),
    std::string_view("Digest"),
    std::string_view("Content-MD5"),
    std::string_view("ETag"),
    std::string_view("Last-Modified"),
};

std::optional<std::string> take(http::response_head& head, std::string_view name) {
    const auto found = head.find(name);
    if (!found) return std::nullopt;
    std::string value(*found);
    head.erase(name);
    return value;
}

}  // namespace

std::optional<file_redirect> take_redirect(
    http::response_head& head, redirect_field x_accel_redirect, redirect_field x_sendfile
) {
    std::optional<std::string> url;
    std::optional<std::string> path;
    if (x_accel_redirect == redirect_field::heeded) url = take(head, "X-Accel-Redirect");
    if (x_sendfile == redirect_field::heeded) path = take(head, "X-Sendfile");
    const int status = head.status();
    if ((!url && !path) || status > 299 || !http::body_allowed(status)) return std::nullopt;
    for (const std::string_view name : of_the_body) head.erase(name);
    head.drop_length();
    // Whether all of it is sent or a part, the file's own answer says.
    [[maybe_unused]] const error_code valid = head.set_status(200);
    file_redirect made{file_redirect::kind::url_path, {}};
    if (!url) made.names = file_redirect::kind::file_path;
    made.target = url ? std::move(*url) : std::move(*path);
    return made;
}

}  // namespace unicoro::app
