// SPDX-License-Identifier: MIT
#include "monitor/status_host.hpp"

#include "base/text.hpp"
#include "monitor/access_rules.hpp"
#include "monitor/history_json.hpp"
#include "monitor/metrics_text.hpp"
#include "monitor/page_source.hpp"
#include "monitor/query.hpp"
#include "monitor/stacks_text.hpp"
#include "monitor/status_json.hpp"
#include "settings/bind_address.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace unicoro::monitor {
namespace {

// The master comes round once a second. It may be in a hook of the application's meanwhile.
constexpr std::chrono::nanoseconds longest_master_silence = std::chrono::seconds(60);

constexpr std::string_view plain = "text/plain; charset=utf-8";
constexpr std::string_view html = "text/html; charset=utf-8";
constexpr std::string_view page_path = "/";
constexpr std::string_view stacks_path = "/stacks";
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
    : how_(how), eyes_(eyes), past_(past), stacks_(eyes), master_(getppid()) {}

std::optional<app::load_error> status_host::load(app::worker_context&) {
    return std::nullopt;
}

awaitable<std::optional<app::load_error>> status_host::start(app::worker_context&) {
    co_return std::nullopt;
}

awaitable<void> status_host::handle(app::exchange& request) {
    if (answer(request) == next_step::stacks) co_await tell_stacks(request);
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

// True when it was refused: what it asks for is not for everybody.
bool status_host::refuses(app::exchange& request) const {
    const http::request_head& head = request.head();
    const settings::monitoring_settings& values = how_.settings.monitoring;
    if (is_guarded(request.connection())) {
        // A browser opens the page without a token; there is nothing of the server in it, and it asks for
        // one. Who checks a server's health (a kubelet, a balancer) often has no secret to send, and learns
        // no more than that.
        const bool open = head.path == page_path || head.path == "/livez" || head.path == "/readyz";
        if (open || (values.admin_token && carries_token(head, *values.admin_token))) return false;
        [[maybe_unused]] const error_code valid =
            request.response().add("WWW-Authenticate", "Bearer realm=\"unicoro\"");
        give(request, 401, plain, "Send the admin_token: Authorization: Bearer TOKEN\n");
        return true;
    }
    if (request.connection().unix_socket || is_own_name(head.authority)) return false;
    give(request, 421, plain, "Ask by an address or as localhost, not by another name\n");
    return true;
}

status_host::next_step status_host::answer(app::exchange& request) {
    if (refuses(request)) return next_step::none;
    const http::request_head& head = request.head();
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
    const bool of_stacks = head.path == stacks_path;
    const auto found = std::ranges::find(answerers, head.path, [](const auto& each) { return each.first; });
    if (found == answerers.end() && !of_stacks) {
        give(
            request,
            404,
            plain,
            "There are /, /livez, /readyz, /metrics, /status, /requests, /stacks and /history\n"
        );
    } else if (head.method != "GET" && head.method != "HEAD") {
        [[maybe_unused]] const error_code valid = request.response().add("Allow", "GET, HEAD");
        give(request, 405, plain, "Nothing can be changed here: GET or HEAD\n");
    } else if (of_stacks) {
        return next_step::stacks;
    } else {
        (this->*found->second)(request);
    }
    return next_step::none;
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

awaitable<void> status_host::tell_stacks(app::exchange& request) {
    const std::string_view query = request.head().query;
    const auto worker = parameter(query, "worker");
    const std::optional<pid_t> pid = worker ? base::parse_integer<pid_t>(*worker) : std::nullopt;
    const std::string id{parameter(query, "request").value_or("")};
    const std::string_view format = parameter(query, "format").value_or("json");
    const auto how = format == "text" ? stacks_format::text : stacks_format::json;
    if ((worker && !pid) || (how == stacks_format::json && format != "json")) {
        give(
            request,
            400,
            plain,
            "worker is the pid of one, request an id of /requests, format json or text: "
            "/stacks?worker=123&format=text\n"
        );
        co_return;
    }
    stacks_told told;
    std::vector<worker_stacks> workers = co_await stacks_.ask(pid);
    told.workers = std::move(workers);
    told.asked = stacks_.asked();
    told.requests = eyes_.requests();
    std::erase_if(told.requests.listed, [&](const request_view& each) {
        return (pid && each.pid != *pid) || (!id.empty() && each.id() != id);
    });
    if (pid || !id.empty()) told.requests.unlisted = 0;
    std::string body = co_await written(told, how);
    give(request, 200, how == stacks_format::json ? json_type : plain, std::move(body));
}

void status_host::show_page(app::exchange& request) {
    http::response_head& head = request.response();
    [[maybe_unused]] error_code valid = head.add("Content-Security-Policy", page_policy);
    valid = head.add("Referrer-Policy", "no-referrer");
    give(request, 200, html, std::string(page_text));
}

}  // namespace unicoro::monitor
