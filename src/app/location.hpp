// SPDX-License-Identifier: MIT
#pragma once

#include "http/request_head.hpp"
#include "settings/settings.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace unicoro::app {

/// Where the application of a request is mounted, and what of the path lies below. Refers to the head of
/// the request and to the locator that has worked it out.
struct location {
    std::string_view server;      ///< where the whole server is mounted (SCRIPT_NAME)
    std::string_view prefix;      ///< the application's part, by the setting `apps`
    std::string_view path;        ///< below both, encoded as it came: empty, or from a slash on; or "*"
    std::size_t application = 0;  ///< place in `apps`
    std::string_view site;        ///< the path below `server` alone, as `path` otherwise
    /// Place in `static`, or behind all of these in `static_internal`, in the stead of an application.
    std::optional<std::size_t> folder = {};

    /// What WSGI calls SCRIPT_NAME and ASGI root_path: both mounts, without a slash at the end.
    [[nodiscard]] std::string script_name() const { return std::string(server).append(prefix); }
};

/// What "%2F" is: a part of a segment, or what applications that see the decoded path take it for.
enum class encoded_slash : bool { within_segment, ends_segment };

/// Bytes of `path`, which may be percent-encoded, that `prefix` takes: in whole segments. Nothing
/// when `path` does not lie under it. An empty prefix takes none.
[[nodiscard]] std::optional<std::size_t> mounted_length(
    std::string_view path, std::string_view prefix, encoded_slash slash = encoded_slash::within_segment
) noexcept;

/// Finds where requests belong, by SCRIPT_NAME of a trusted peer, else of the process's environment, and
/// by the settings `apps`, `static` and `static_internal`. One per worker, made when the environment is that
/// of the settings.
class locator {
  public:
    explicit locator(const settings::server_settings& values);

    /// Nothing when the path lies outside of the server's mount, or no application is mounted there.
    [[nodiscard]] std::optional<location> find(const http::request_head& head) const noexcept;

  private:
    struct place {
        std::string prefix;  // without a slash at the end; empty = "/"
        std::size_t number;  // in `apps`, or of the folder
        bool folder = false;
    };

    std::string server_;
    std::vector<place> places_;  // the longest prefix first
};

}  // namespace unicoro::app
