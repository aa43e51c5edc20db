// SPDX-License-Identifier: MIT
#include "settings/tables.hpp"

namespace unicoro::settings::tables {
namespace {

template <auto Member>
constexpr member kept_in() noexcept {
    return stored_in<&server_settings::monitoring, Member>();
}

}  // namespace

part monitoring() {
    return {
        section::monitoring,
        {
            {.name = "health_path",
             .flags = "--health-path",
             .metavar = "URL-PATH",
             .type = text(),
             .kept = kept_in<&monitoring_settings::health_path>(),
             .help = "A path such as /healthz that the server answers itself, whatever the application does "
                     "and before any queue: 200, and 503 once it was told to stop",
             .variable = variable_kind::ours},
            {.name = "health_access_log",
             .flags = "--no-health-access-log",
             .form = flag_form::switch_off,
             .type = boolean(),
             .kept = kept_in<&monitoring_settings::health_access_log>(),
             .help = "Write requests for health_path to the access log",
             .variable = variable_kind::ours},
        },
    };
}

}  // namespace unicoro::settings::tables
