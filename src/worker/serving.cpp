// SPDX-License-Identifier: MIT
#include "worker/serving.hpp"

#include "http/response_head.hpp"

#include <algorithm>
#include <ctime>
#include <random>

namespace unicoro::worker {
namespace {

http::policy policy_of(const settings::server_settings& values) {
    http::policy policy;
    policy.limit_request_line = values.limit_request_line;
    policy.limit_request_fields = values.limit_request_fields;
    policy.limit_request_field_size = values.limit_request_field_size;
    policy.limit_request_body = values.limit_request_body;
    policy.permit_obsolete_folding = values.permit_obsolete_folding;
    policy.permit_unconventional_http_method = values.permit_unconventional_http_method;
    policy.permit_unconventional_http_version = values.permit_unconventional_http_version;
    policy.casefold_http_method = values.casefold_http_method;
    switch (values.header_map) {
        case settings::header_map::drop: policy.header_map = http::underscore_fields::drop; break;
        case settings::header_map::refuse: policy.header_map = http::underscore_fields::refuse; break;
        case settings::header_map::dangerous: policy.header_map = http::underscore_fields::dangerous; break;
    }
    policy.secure_scheme_headers = values.secure_scheme_headers;
    policy.forwarder_headers = values.forwarder_headers;
    return policy;
}

std::uint64_t request_limit(const settings::server_settings& values) {
    if (values.max_requests == 0 || values.max_requests_jitter == 0) return values.max_requests;
    // Seeded here, after the fork, so that workers do not all retire at once.
    std::random_device seed;
    std::uniform_int_distribution<std::uint64_t> jitter(0, values.max_requests_jitter);
    return values.max_requests + jitter(seed);
}

// How long a closing connection is read from, so that a reset does not overtake the response.
constexpr std::chrono::seconds linger_time{2};

// What of an application still answers a close frame when its request is over takes no longer.
constexpr std::chrono::milliseconds release_time{500};

// Clients that go on asking were told that they may: they get an answer, and with it that it is the last.
constexpr std::chrono::milliseconds farewell_time{500};

std::chrono::milliseconds farewell_of(std::chrono::milliseconds keepalive) {
    return keepalive.count() > 0 ? std::min(keepalive, farewell_time) : farewell_time;
}

// How long the client may take to answer a WebSocket's close frame.
constexpr std::chrono::seconds close_time{10};

}  // namespace

time_limits::time_limits(aio::deadline_service& service, const settings::server_settings& values)
    : header(service.queue(values.header_timeout)),
      keepalive(service.queue(values.keepalive)),
      body(service.queue(values.body_timeout)),
      send(service.queue(values.send_timeout)),
      request(service.queue(values.request_timeout)),
      farewell(service.queue(farewell_of(values.keepalive))),
      linger(service.queue(linger_time)),
      release(service.queue(release_time)),
      ws_ping(service.queue(values.ws_ping_interval)),
      ws_pong(service.queue(values.ws_ping_timeout)),
      ws_close(service.queue(close_time)) {}

serving::serving(
    asio::io_context& loop,
    const settings::server_settings& values,
    const scoreboard::table& board,
    std::size_t slot_index
)
    : io(loop),
      settings(values),
      slot(board.slot(slot_index)),
      ledger(board, slot_index),
      policy(policy_of(values)),
      deadlines(loop),
      limits(deadlines, values),
      exchanges(*this),
      websockets(loop),
      locations(values),
      most_connections(values.worker_connections),
      requests_left(request_limit(values)),
      room(loop, std::chrono::steady_clock::time_point::max()),
      never(loop, std::chrono::steady_clock::time_point::max()) {
    for (const std::string& network : values.forwarded_allow_ips) {
        // The settings were checked when they were resolved.
        [[maybe_unused]] const bool known = forwarders.add(network);
    }
}

std::string_view serving::date() {
    timespec now{};
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    if (now.tv_sec != date_second_) {
        date_second_ = now.tv_sec;
        date_ = http::imf_fixdate(date_second_);
    }
    return date_;
}

}  // namespace unicoro::worker
