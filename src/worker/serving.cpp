// SPDX-License-Identifier: MIT
#include "worker/serving.hpp"

#include "app/worker_stage.hpp"
#include "http/http_date.hpp"
#include "log/access_format.hpp"

#include <algorithm>
#include <ctime>
#include <random>
#include <utility>

namespace unicoro::worker {
namespace {

std::uint64_t request_limit(const settings::server_settings& values) {
    if (values.max_requests == 0 || values.max_requests_jitter == 0) return values.max_requests;
    // Seeded here, after the fork, so that workers do not all retire at once.
    std::random_device seed;
    std::uniform_int_distribution<std::uint64_t> jitter(0, values.max_requests_jitter);
    return values.max_requests + jitter(seed);
}

bool access_log_prints(
    const settings::server_settings& values, bool (log::access_format::*what)() const noexcept
) {
    if (!values.accesslog) return false;
    const auto format = log::access_format::compile(values.access_log_format);
    return format && ((*format).*what)();
}

bool must_measure_wait(const settings::server_settings& values) {
    return values.queue_time || limits_admission(values) || values.slow_request_log.count() > 0 ||
           access_log_prints(values, &log::access_format::uses_wait);
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

// The settings were checked when they were resolved.
void fill(base::trust_list& list, const std::vector<std::string>& networks) {
    for (const std::string& network : networks) {
        [[maybe_unused]] const bool known = list.add(network);
    }
}

// The deadlines of one place are met together.
constexpr std::size_t farewell_places = 128;

}  // namespace

time_limits::time_limits(aio::deadline_service& service, const settings::server_settings& values)
    : header(service.queue(values.header_timeout)),
      keepalive(service.queue(values.keepalive)),
      body(service.queue(values.body_timeout)),
      send(service.queue(values.send_timeout)),
      request(service.queue(values.request_timeout)),
      queued(service.queue(values.queue_timeout)),
      farewell(service.queue(farewell_of(values.keepalive))),
      linger(service.queue(linger_time)),
      release(service.queue(release_time)),
      ws_ping(service.queue(values.ws_ping_interval)),
      ws_pong(service.queue(values.ws_ping_timeout)),
      ws_close(service.queue(close_time)) {
    if (values.drain_spread.count() == 0) return;
    for (std::size_t place = 1; place <= farewell_places; ++place) {
        spread_.push_back(
            &service.queue(std::chrono::nanoseconds(values.drain_spread) * place / farewell_places)
        );
    }
}

// Steps of the golden section fill the row evenly, however few there are.
aio::deadline_queue& time_limits::next_farewell() noexcept {
    constexpr std::size_t step = 79;  // and 128 have no common divisor
    return *spread_[farewells_++ * step % farewell_places];
}

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
      counts(slot.counts),
      turn(board.loads(), slot_index),
      deadlines(loop),
      limits(deadlines, values),
      rules(values, deadlines),
      measures_wait(must_measure_wait(values)),
      measures_first_byte(access_log_prints(values, &log::access_format::uses_first_byte)),
      measures_cpu(access_log_prints(values, &log::access_format::uses_cpu_time)),
      exchanges(*this),
      websockets(loop),
      locations(values),
      files(values),
      filters(values, files),
      most_connections(values.worker_connections),
      requests_left(request_limit(values)),
      room(loop, std::chrono::steady_clock::time_point::max()),
      never(loop, std::chrono::steady_clock::time_point::max()),
      samples_wait_(!values.monitoring.admin_bind.empty()) {
    fill(forwarders, values.forwarded_allow_ips);
    fill(balancers, values.proxy_allow_ips);
    if (values.monitoring.endpoint_load_metrics) load.emplace(slot, values.workers);
    if (limits_admission(values)) {
        gate.emplace(common_limits(values), lanes_of(values), &scoreboard::monotonic_now);
    }
}

void serving::limit_connections(std::size_t limit) noexcept {
    most_connections = std::min(most_connections, limit);
    const std::size_t inside = host->places();
    std::size_t most = inside > 0 ? std::min(inside, most_connections) : most_connections;
    if (settings.max_concurrent_requests > 0) most = std::min(most, settings.max_concurrent_requests);
    slot.places.store(static_cast<std::uint32_t>(most), std::memory_order_relaxed);
}

void serving::heed_master() noexcept {
    if (slot.server_stops.load(std::memory_order_relaxed)) app::now_stopping();
}

void serving::count_beat(std::chrono::nanoseconds late) noexcept {
    counts.took(scoreboard::timing::loop_lag, late.count());
    const std::chrono::nanoseconds wait = host->waited_for_interpreter();
    const auto more = (wait - std::exchange(interpreter_wait_, wait)).count();
    counts.add(scoreboard::counter::interpreter_wait, static_cast<std::uint64_t>(more));
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
