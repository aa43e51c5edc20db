// SPDX-License-Identifier: MIT
#pragma once

#include "app/file_redirect.hpp"
#include "app/site_files.hpp"
#include "settings/settings.hpp"

#include <memory>

namespace unicoro::app {

class filtered_exchange;

/// What becomes of the responses of applications on their way out, by the settings: a file in their stead
/// (`x_accel_redirect`, `x_sendfile`), compression. One per worker, outlives the requests.
class output_filters {
  public:
    /// `files` outlives it.
    output_filters(const settings::server_settings& values, const site_files& files);

    /// What the application is to be given in the stead of `request`, which lives longer, and is kept until
    /// nothing that was started for the request is left. Null where the settings ask for no filter.
    [[nodiscard]] std::unique_ptr<filtered_exchange> around(exchange& request) const;

    [[nodiscard]] bool compresses() const noexcept { return !compression().compression.empty(); }
    [[nodiscard]] const settings::compression_settings& compression() const noexcept {
        return values_.compression;
    }
    [[nodiscard]] redirect_field x_accel_redirect() const noexcept {
        return values_.files.x_accel_redirect ? redirect_field::heeded : redirect_field::ignored;
    }
    [[nodiscard]] redirect_field x_sendfile() const noexcept {
        return values_.files.x_sendfile ? redirect_field::heeded : redirect_field::ignored;
    }
    [[nodiscard]] const site_files& files() const noexcept { return files_; }

  private:
    const settings::server_settings& values_;
    const site_files& files_;
};

}  // namespace unicoro::app
