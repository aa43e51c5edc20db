// SPDX-License-Identifier: MIT
#pragma once

#include "app/exchange.hpp"
#include "settings/settings.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace unicoro::app {

/// Answers requests with files of the folders that the setting `static` names. One per worker, made before
/// the application could change the working directory; outlives the requests.
class site_files {
  public:
    explicit site_files(const settings::server_settings& values);

    /// `request.where()` is in a folder. Files are opened anew for each request, and so is the folder: one
    /// that is replaced, or a link that is turned, is seen at once.
    awaitable<void> answer(exchange& request) const;

  private:
    struct cache_rule {
        std::string pattern;
        std::string value;
    };

    struct choice;

    [[nodiscard]] choice choose(const exchange& request, std::string path) const;
    [[nodiscard]] std::string_view cache_control(const std::string& path) const noexcept;

    std::vector<std::string> folders_;
    std::vector<cache_rule> rules_;  // the longest pattern first
};

}  // namespace unicoro::app
