// SPDX-License-Identifier: MIT
#include "settings/monitoring_check.hpp"

#include "base/text.hpp"
#include "settings/bind_address.hpp"
#include "settings/path_prefix.hpp"

#include <algorithm>
#include <tuple>

namespace unicoro::settings {
namespace {

// Who can try a million a second needs more than the age of the universe for the letters and digits of it.
constexpr std::size_t shortest_token = 16;

// What a field value can carry as it is (RFC 6750, 2.1).
bool is_token(std::string_view text) {
    return std::ranges::all_of(text, [](unsigned char c) { return c > ' ' && c < 0x7f; });
}

bool same_place(const bind_address& one, const bind_address& other) {
    if (one.type != other.type) return false;
    if (one.type == bind_address::kind::unix_path) return one.path == other.path;
    return one.port != 0 && std::tie(one.host, one.port) == std::tie(other.host, other.port);
}

void check_agent_check(
    const server_settings& settings,
    const std::function<std::string(std::string_view name)>& where,
    verdict& into
) {
    const auto fail = [&](const bind_address& which, const std::string& text) {
        const std::string shown = "\"" + base::printable(which.text) + "\" ";
        into.errors.push_back(where("agent_check_bind") + ": " + shown + text);
    };
    for (const bind_address& each : settings.monitoring.agent_check_bind) {
        if (each.type != bind_address::kind::tcp) {
            fail(each, "is not possible: HAProxy asks over TCP, write HOST:PORT");
            continue;
        }
        const auto check_others = [&](std::string_view name, const std::vector<bind_address>& others) {
            const bool taken =
                std::ranges::any_of(others, [&each](const auto& other) { return same_place(each, other); });
            if (taken) fail(each, "is an address of " + where(name) + ", too: take another one");
        };
        check_others("bind", settings.bind);
        check_others("admin_bind", settings.monitoring.admin_bind);
    }
}

}  // namespace

void check_monitoring(
    const server_settings& settings,
    const std::function<std::string(std::string_view name)>& where,
    verdict& into
) {
    const monitoring_settings& values = settings.monitoring;
    const auto fail = [&](std::string_view name, const std::string& text) {
        into.errors.push_back(where(name) + ": " + text);
    };
    const auto warn = [&](std::string_view name, const std::string& text) {
        into.warnings.push_back(where(name) + ": " + text);
    };
    if (values.health_path) {
        const std::string problem = path_prefix_problem(*values.health_path);
        if (!problem.empty()) fail("health_path", problem);
        if (*values.health_path == "/") fail("health_path", "\"/\" is the application's: take /healthz, say");
    }
    if (values.admin_token &&
        (values.admin_token->size() < shortest_token || !is_token(*values.admin_token))) {
        fail(
            "admin_token",
            "must be " + std::to_string(shortest_token) +
                " characters or more, of ASCII and without blanks: make one with openssl rand -hex 32"
        );
    }
    bool guarded = false;
    for (const bind_address& each : values.admin_bind) {
        const std::string shown = "\"" + base::printable(each.text) + "\" ";
        if (each.type == bind_address::kind::inherited_fd) {
            fail("admin_bind", shown + "is not possible here: write unix:PATH or HOST:PORT");
            continue;
        }
        if (std::ranges::any_of(settings.bind, [&each](const auto& other) {
                return same_place(each, other);
            })) {
            fail("admin_bind", shown + "is an address of " + where("bind") + ", too: take another one");
        }
        if (each.type == bind_address::kind::unix_path || is_loopback(each)) continue;
        guarded = true;
        if (values.admin_token) continue;
        fail(
            "admin_bind",
            shown + "is reached from other machines: set admin_token as well, or take 127.0.0.1:" +
                std::to_string(each.port) + " or unix:PATH"
        );
    }
    if (values.admin_token && !guarded) {
        warn("admin_token", "has no effect: nobody is asked for it on loopback and unix sockets");
    }
    check_agent_check(settings, where, into);
    if (settings.workers > 0 && values.ready_workers > settings.workers) {
        const std::string many = std::to_string(settings.workers);
        fail(
            "ready_workers",
            std::to_string(values.ready_workers) + " are more than " + where("workers") + " has (" + many +
                "): the server would never be ready"
        );
    }
}

}  // namespace unicoro::settings
