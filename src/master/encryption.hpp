// SPDX-License-Identifier: MIT
#pragma once

#include "os/failure.hpp"
#include "settings/settings.hpp"
#include "tls/context.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace unicoro::master {

/// What a generation of workers serves HTTPS with.
struct certificate_set {
    std::shared_ptr<const tls::context> served;  ///< null = clear text
    std::string packed;                          ///< the same for a process that may not read the files
    std::string stamp;                           ///< of the files it was read from
};

/// What renewed certificates are called that are handed over by the lifeline, beside log files, whose names
/// are paths.
inline constexpr std::string_view certificates_name{"\0certificates", 13};

/// Puts those in `file` in the place of `served`; says in the log why that cannot be.
void renew_certificates(std::shared_ptr<const tls::context>& served, int file);

/// Reads the certificates that settings name, with the rights that workers give up. Owned by the supervisor;
/// workers inherit what it has read, and are handed what has changed since.
class encryption {
  public:
    /// Empty where the settings name no certificate.
    [[nodiscard]] os::outcome<certificate_set> open(const settings::server_settings& values);

    /// The set that takes the place of `now`, once its files have changed and then been left alone from one
    /// call to the next: who renews them writes one after the other. Says in the log why those that are there
    /// now cannot be served, once a minute.
    [[nodiscard]] std::optional<certificate_set> renewed(
        const settings::server_settings& values, const certificate_set& now
    );

  private:
    std::optional<tls::ticket_secret> tickets_;  // the same for all workers, of every generation
    std::string changed_;                        // as the files were at the last call, if not as served
    std::string refused_;
    std::chrono::steady_clock::time_point again_{
    };  // those that were refused are tried: they may have become valid
};

}  // namespace unicoro::master
