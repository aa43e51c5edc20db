// SPDX-License-Identifier: MIT
#pragma once

#include "app/exchange.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace unicoro::app {

/// An application's word that the server is to answer with a file, in the stead of the body that it has
/// given.
struct file_redirect {
    enum class kind : std::uint8_t { url_path, file_path };

    kind names;
    std::string target;  ///< as the field had it

    [[nodiscard]] std::string_view field() const noexcept {
        return names == kind::url_path ? "X-Accel-Redirect" : "X-Sendfile";
    }
};

enum class redirect_field : bool { ignored, heeded };

/// Takes the redirect out of a response's head, X-Accel-Redirect before X-Sendfile, with what belongs to the
/// body that is not sent. Nothing where there is none, or where the status is none of success or has no body
/// (403, 304): a field that is heeded is gone all the same.
[[nodiscard]] std::optional<file_redirect> take_redirect(
    http::response_head& head, redirect_field x_accel_redirect, redirect_field x_sendfile
);

}  // namespace unicoro::app
