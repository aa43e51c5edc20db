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

/// Where the whole server is mounted for a request, without a slash at the end: SCRIPT_NAME of a
/// trusted peer, else of the process's environment. Empty when the path does not lie under it: what
/// an application makes of that is its host's business.
[[nodiscard]] std::string_view server_mount(const http::request_head& head) noexcept;

/// Bytes of `path`, which may be percent-encoded, that `prefix` takes: in whole segments. Nothing
/// when `path` does not lie under it. An empty prefix takes none.
[[nodiscard]] std::optional<std::size_t> mounted_length(
    std::string_view path, std::string_view prefix
) noexcept;

/// The setting `apps`: which application a path belongs to.
class mount_table {
  public:
    struct place {
        std::string prefix;       ///< without a slash at the end; empty = "/"
        std::size_t application;  ///< place in `apps`
    };
    struct found {
        const place* where = nullptr;
        std::size_t length = 0;   ///< of the prefix in the request's path
    };

    explicit mount_table(const settings::server_settings& values);

    /// The one with the longest prefix; null when none fits.
    [[nodiscard]] found find(const http::request_head& head) const noexcept;

  private:
    std::vector<place> places_;  // the longest prefix first
};

}  // namespace unicoro::app
