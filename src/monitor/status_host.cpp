// SPDX-License-Identifier: MIT
#include "monitor/status_host.hpp"

#include "monitor/access_rules.hpp"
#include "monitor/history_json.hpp"
#include "monitor/metrics_text.hpp"
#include "monitor/page_source.hpp"
#include "monitor/status_json.hpp"
#include "settings/bind_address.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <utility>

namespace unicoro::monitor {
namespace {

// The master comes round once a second. It may be in a hook of the application's meanwhile.
constexpr std::chrono::nanoseconds longest_master_silence = std::chrono::seconds(60);

constexpr std::string_view plain = "text/plain; charset=utf-8";
constexpr std::string_view html = "text/html; charset=utf-8";
constexpr std::string_view page_path = "/";
constexpr std::string_view json_type = "application/json";

void give(app::exchange& request, int status, std::string_view type, std::string body) {
    http::response_head& head = request.response();
    [[maybe_unused]] error_code valid = head.set_status(status);
    valid = head.add("Content-Type", type);
    valid = head.add("Cache-Control", "no-store");
    valid = head.add("X-Content-Type-Options", "nosniff");
    request.respond(std::move(body));
}

}  // namespace

status_host::status_host(const master::monitor_launch& how, observer& eyes, const history& past)
    : how_(how), eyes_(eyes), past_(past), master_(getppid()) {}

std::optional<app::load_error> status_host::load(app::worker_context&) {
    return std::nullopt;
}

awaitable<std::optional<app::load_error>> status_host::start(app::worker_context&) {
    co_return std::nullopt;
}

awaitable<void> status_host::handle(app::exchange& request) {
    answer(request);
    co_return;
}

awaitable<void> status_host::stop(app::worker_context&) {
    co_return;
}

bool status_host::is_guarded(const app::connection_info& connection) const {
    if (connection.unix_socket) return false;
    const auto is_it = [&connection](const master::admin_socket& each) {
        const os::listener& socket = each.socket;
        return !socket.is_unix() && socket.port() == connection.local_port &&
               socket.address() == connection.local_address;
    };
    const auto found = std::ranges::find_if(how_.sockets, is_it);
    return found == how_.sockets.end() || !settings::is_loopback(found->asked);
}

void status_host::answer(app::exchange& request) {
    const http::request_head& head = request.head();
    const settings::monitoring_settings& values = how_.settings.monitoring;
    if (is_guarded(request.connection())) {
        // A browser opens the page without a token; there is nothing of the server in it, and it asks for
        // one. Who checks a server's health (a kubelet, a balancer) often has no secret to send, and learns
        // no more than that.
        const bool open = head.path == page_path || head.path == "/livez" || head.path == "/readyz";
        if (!open && (!values.admin_token || !carries_token(head, *values.admin_token))) {
            [[maybe_unused]] const error_code valid =
                request.response().add("WWW-Authenticate", "Bearer realm=\"unicoro\"");
            return give(request, 401, plain, "Send the admin_token: Authorization: Bearer TOKEN\n");
        }
    } else if (!request.connection().unix_socket && !is_own_name(head.authority)) {
        return give(request, 421, plain, "Ask by an address or as localhost, not by another name\n");
    }
    using answerer = void (status_host::*)(app::exchange&);
    constexpr std::array<std::pair<std::string_view, answerer>, 7> answerers{{
        {page_path, &status_host::show_page},
        {"/livez", &status_host::tell_life},
        {"/readyz", &status_host::tell_readiness},
        {"/metrics", &status_host::tell_metrics},
        {"/status", &status_host::tell_status},
        {"/requests", &status_host::tell_requests},
        {"/history", &status_host::tell_history},
    }};
    const auto found = std::ranges::find(answerers, head.path, [](const auto& each) { return each.first; });
    if (found == answerers.end()) {
        return give(
            request, 404, plain, "There are /, /livez, /readyz, /metrics, /status, /requests and /history\n"
        );
    }
    if (head.method != "GET" && head.method != "HEAD") {
        [[maybe_unused]] const error_code valid = request.response().add("Allow", "GET, HEAD");
        return give(request, 405, plain, "Nothing can be changed here: GET or HEAD\n");
    }
    (this->*found->second)(request);
}

void status_host::tell_life(app::exchange& request) {
    const picture& now = eyes_.glance();
    const bool late = now.now - now.seen.master_beat > longest_master_silence.count();
    give(request, late ? 503 : 200, plain, late ? "the master does not come round\n" : "OK\n");
}

void status_host::tell_readiness(app::exchange& request) {
    const picture& now = eyes_.glance();
    if (now.is_ready(how_.settings.monitoring.ready_workers)) return give(request, 200, plain, "OK\n");
    if (now.seen.stopping) return give(request, 503, plain, "stopping\n");
    const std::string workers = std::to_string(now.serving()) +
                                " workers are ready, fewer than ready_workers (" +
                                std::to_string(how_.settings.monitoring.ready_workers) + ")\n";
    give(request, 503, plain, workers);
}

void status_host::tell_metrics(app::exchange& request) {
    const exposition how = wanted_exposition(request.head().find("Accept").value_or(""));
    give(request, 200, content_type(how), metrics_text(eyes_.look(), how_.version, how));
}

void status_host::tell_status(app::exchange& request) {
    const picture& now = eyes_.look();
    const bool ready = now.is_ready(how_.settings.monitoring.ready_workers);
    give(request, 200, json_type, status_json(now, how_.version, master_, ready));
}

void status_host::tell_requests(app::exchange& request) {
    give(request, 200, json_type, requests_json(eyes_.requests()));
}

void status_host::tell_history(app::exchange& request) {
    const std::optional<double> since = read_since(request.head().query);
    if (!since) {
        return give(
            request, 400, plain, "since is a time that was told before, as in /history?since=1234.5\n"
        );
    }
    give(request, 200, json_type, history_json(past_, scoreboard::monotonic_now(), *since));
}

void status_host::show_page(app::exchange& request) {
    http::response_head& head = request.response();
    [[maybe_unused]] error_code valid = head.add("Content-Security-Policy", page_policy);
    valid = head.add("Referrer-Policy", "no-referrer");
    give(request, 200, html, std::string(page_text));
}

}  // namespace unicoro::monitor
