// SPDX-License-Identifier: MIT
#include "settings/tables.hpp"

#include <limits>
#include <string>

namespace unicoro::settings::tables {
namespace {

constexpr member addresses{
    [](server_settings& settings, const json& value, const origin& from) {
        conversion<decltype(settings.bind)>::from_json(value, settings.bind);
        settings.bind_origin = from.as_default ? std::string() : from.where();
    },
    stored_in<&server_settings::bind>().fetch,
};

}  // namespace

part sockets() {
    return {
        section::sockets,
        {
            {.name = "bind",
             .flags = "-b,--bind",
             .form = flag_form::repeated,
             .metavar = "ADDRESS",
             .type = bind_list(),
             .kept = addresses,
             .default_note = "0.0.0.0:$PORT if PORT is set, else 127.0.0.1:8000",
             .help = "Listen on HOST, HOST:PORT, [IPV6]:PORT, unix:PATH or fd://N; may be repeated"},
            {.name = "backlog",
             .flags = "--backlog",
             .metavar = "N",
             .type = whole_number(0, std::numeric_limits<int>::max()),
             .kept = stored_in<&server_settings::backlog>(),
             .help =
                 "How many connections may wait to be accepted (the kernel allows at most net.core.somaxconn)"
            },
            {.name = "reuse_port",
             .flags = "--reuse-port",
             .form = flag_form::switch_on,
             .type = boolean(),
             .kept = stored_in<&server_settings::reuse_port>(),
             .help =
                 "Let other servers of the same user listen on the port as well (SO_REUSEPORT); the kernel "
                 "deals connections out among the servers"},
            {.name = "ipv6_only",
             .flags = "--ipv6-only",
             .metavar = "MODE",
             .type = choice_of<ipv6_only_mode>(),
             .kept = stored_in<&server_settings::ipv6_only>(),
             .help = "Whether [::]:PORT leaves IPv4 alone: auto = as the system is set (net.ipv6.bindv6only, "
                     "usually off), but on if an IPv4 address with the same port is bound as well",
             .variable = variable_kind::ours},
        },
    };
}

}  // namespace unicoro::settings::tables
