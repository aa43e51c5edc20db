// SPDX-License-Identifier: MIT
#include "settings/tables.hpp"

namespace unicoro::settings::tables {
namespace {

constexpr std::int64_t most_workers = 10'000;

template <auto Member>
constexpr member kept_in() noexcept {
    return stored_in<&server_settings::monitoring, Member>();
}

std::vector<setting> of_the_monitor() {
    return {
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
        {.name = "admin_bind",
         .flags = "--admin-bind",
         .form = flag_form::repeated,
         .metavar = "ADDRESS",
         .type = bind_list(presence::optional_value),
         .kept = kept_in<&monitoring_settings::admin_bind>(),
         .default_note = "none",
         .help =
             "Where a process of its own answers /livez, /readyz, /metrics, /status, /requests and /stacks, "
             "also while every worker is busy: unix:PATH, HOST:PORT or [IPV6]:PORT; may be repeated",
         .variable = variable_kind::ours},
        {.name = "admin_token",
         .flags = "--admin-token",
         .metavar = "TOKEN",
         .type = text(),
         .kept = kept_in<&monitoring_settings::admin_token>(),
         .default_note = "$UNICORO_ADMIN_TOKEN, else none",
         .help = "What clients of admin_bind send as Authorization: Bearer TOKEN; not asked for on unix "
                 "sockets and loopback addresses, nor for /livez and /readyz. The command line is seen "
                 "by every user: better in the "
                 "settings file",
         .secret = true,
         .variable = variable_kind::ours},
        {.name = "ready_workers",
         .flags = "--ready-workers",
         .metavar = "N",
         .type = whole_number(1, most_workers),
         .kept = kept_in<&monitoring_settings::ready_workers>(),
         .help = "How many workers must be ready before /readyz says so",
         .variable = variable_kind::ours},
    };
}

std::vector<setting> of_balancers() {
    return {
        {.name = "agent_check_bind",
         .flags = "--agent-check-bind",
         .form = flag_form::repeated,
         .metavar = "ADDRESS",
         .type = bind_list(presence::optional_value),
         .kept = kept_in<&monitoring_settings::agent_check_bind>(),
         .default_note = "none",
         .help = "Where HAProxy's agent-check is answered by a process of its own: one line with how much "
                 "of the server is free, drain once it was told to stop, down with too few workers; "
                 "HOST:PORT or [IPV6]:PORT, may be repeated. Whoever reaches it may ask",
         .variable = variable_kind::ours},
        {.name = "endpoint_load_metrics",
         .flags = "--endpoint-load-metrics",
         .form = flag_form::switch_on,
         .type = boolean(),
         .kept = kept_in<&monitoring_settings::endpoint_load_metrics>(),
         .help = "Tell of the load in the response (ORCA, as Envoy reads it: the field "
                 "endpoint-load-metrics) where the request asks for it by endpoint-load-metrics-format: "
                 "text or json",
         .variable = variable_kind::ours},
    };
}

}  // namespace

part monitoring() {
    return join(section::monitoring, {of_the_monitor(), of_balancers()});
}

}  // namespace unicoro::settings::tables
