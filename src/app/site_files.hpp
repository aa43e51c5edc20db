// SPDX-License-Identifier: MIT
#pragma once

#include "app/exchange.hpp"
#include "app/file_redirect.hpp"
#include "settings/settings.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace unicoro::app {

/// Answers with files of the folders that the settings `static` and `static_internal` name. One per worker,
/// made before the application could change the working directory; outlives the requests.
class site_files {
  public:
    explicit site_files(const settings::server_settings& values);

    /// `request.where()` is in a folder. Files are opened anew for each request, and so is the folder: one
    /// that is replaced, or a link that is turned, is seen at once.
    awaitable<void> answer(exchange& request) const;

    /// Answers in the stead of the application, which has said so, whatever the method. Its fields stand in
    /// the response already and go before those of the file. 404 where there is no such file, 500 where the
    /// redirect makes no sense or leads into no folder; both are logged.
    awaitable<void> answer_in_stead(exchange& request, const file_redirect& redirect) const;

  private:
    struct folder {
        std::string prefix;
        std::string path;  // absolute
        bool internal;
    };

    struct cache_rule {
        std::string pattern;
        std::string value;
    };

    struct choice;

    /// A file in a folder, and the path to it there: decoded, nothing where it names none.
    struct place {
        const folder* within = nullptr;
        std::optional<std::string> path;
    };

    [[nodiscard]] static choice choose(const exchange& request, const folder& within, std::string path);
    [[nodiscard]] place find_url(std::string_view url) const;
    [[nodiscard]] place find_file(std::string_view path) const;
    awaitable<void> send(exchange& request, const folder& within, const choice& chosen) const;
    [[nodiscard]] std::string_view cache_control(const std::string& path) const noexcept;

    std::vector<folder> folders_;    // as the locator numbers them
    std::vector<cache_rule> rules_;  // the longest pattern first
};

}  // namespace unicoro::app
