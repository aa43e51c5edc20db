// SPDX-License-Identifier: MIT
#pragma once

#include "aio/asio.hpp"
#include "aio/deadline.hpp"
#include "aio/task_group.hpp"
#include "app/host.hpp"
#include "app/location.hpp"
#include "app/output_filters.hpp"
#include "app/site_files.hpp"
#include "base/ip_network.hpp"
#include "scoreboard/scoreboard.hpp"
#include "settings/settings.hpp"
#include "worker/admission.hpp"
#include "worker/exchange_pool.hpp"
#include "worker/fair_turn.hpp"
#include "worker/idle_connections.hpp"
#include "worker/load_report.hpp"
#include "worker/request_rules.hpp"
#include "worker/requests_in_flight.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace unicoro::worker {

class slow_log;

/// The queues of the transport's time limits, one list node per connection and no timer of its own.
struct time_limits {
    time_limits(aio::deadline_service& service, const settings::server_settings& values);

    aio::deadline_queue& header;
    aio::deadline_queue& keepalive;
    aio::deadline_queue& body;
    aio::deadline_queue& send;
    aio::deadline_queue& request;
    aio::deadline_queue& queued;
    aio::deadline_queue& farewell;  ///< for a next request on a kept connection, once the worker drains
    aio::deadline_queue& linger;
    aio::deadline_queue& release;  ///< until a connection that was handed over is let go of
    aio::deadline_queue& ws_ping;
    aio::deadline_queue& ws_pong;
    aio::deadline_queue& ws_close;

    /// The place of the next WebSocket or event stream in drain_spread, which is above zero: wherever the
    /// row ends, its places are spread evenly.
    [[nodiscard]] aio::deadline_queue& next_farewell() noexcept;

  private:
    std::vector<aio::deadline_queue*> spread_;
    std::size_t farewells_ = 0;
};

/// Requests that were refused for want of a place, and when that is to be said next.
struct shed_tally {
    std::uint64_t untold = 0;
    std::chrono::steady_clock::time_point next{};
};

/// What every connection of a worker shares. Lives in worker::run's frame, longer than any of them.
struct serving {
    serving(
        asio::io_context& loop,
        const settings::server_settings& values,
        const scoreboard::table& board,
        std::size_t slot_index
    );

    asio::io_context& io;
    const settings::server_settings& settings;
    scoreboard::worker_slot& slot;
    scoreboard::request_ledger ledger;
    scoreboard::counting counts;
    std::vector<std::size_t> rows;  ///< where requests of each application are counted
    bool logs_access = true;
    fair_turn turn;
    base::trust_list forwarders;  ///< forwarded_allow_ips
    base::trust_list balancers;   ///< proxy_allow_ips
    aio::deadline_service deadlines;
    time_limits limits;
    request_rules rules;
    std::optional<admission> gate;   ///< of requests that run at once; none = all of them
    const bool measures_wait;        ///< how long each request waits before the application sees it
    const bool measures_first_byte;  ///< when the response of each begins
    const bool measures_cpu;         ///< what each computes
    shed_tally shed;
    std::optional<load_report> load;  ///< told to those who ask for it (endpoint_load_metrics)
    slow_log* slow = nullptr;         ///< of requests that run for long; null = none is kept
    idle_connections idle;            ///< those that wait for their next request, the longest idle first
    requests_in_flight in_flight;
    in_flight_watch watched;  ///< of those, and of what each runs as; set before there are any
    exchange_pool exchanges;
    aio::task_group websockets;          ///< what reads and writes them; each holds its session
    aio::task_group* clients = nullptr;  ///< the worker's connections; null = none goes on as another
    app::host* host = nullptr;
    app::locator locations;  ///< whose each request is
    app::site_files files;   ///< what no application is asked for
    app::output_filters filters;

    std::size_t connections = 0;
    std::size_t most_connections;     ///< worker_connections, or fewer when descriptors are short
    std::uint64_t requests_left = 0;  ///< until the worker asks for a replacement; 0 = no limit
    bool room_comes = false;          ///< one of them was told to close for a new one
    bool draining = false;

    [[nodiscard]] bool is_full() const noexcept { return connections >= most_connections; }

    /// Rings when a connection has ended, for an accept loop that waits for room.
    asio::basic_waitable_timer<
        std::chrono::steady_clock,
        asio::wait_traits<std::chrono::steady_clock>,
        executor>
        room;
    /// Never expires: for who waits only to be cancelled.
    decltype(room) never;

    std::function<void()> on_request_limit;
    /// Closed connections and ended requests count here; when draining, the worker ends at zero.
    std::function<void()> on_idle;

    /// In which row of the counters its requests are.
    [[nodiscard]] std::size_t row_of(const app::location& where) const noexcept {
        if (where.folder) return scoreboard::row_of_server;
        return where.application < rows.size() ? rows[where.application] : scoreboard::row_of_others;
    }

    /// Whether the wait of a request that begins is measured: of all, or for the metrics of one in so many,
    /// since to ask the kernel costs a system call.
    [[nodiscard]] bool measures_next_wait() noexcept {
        constexpr unsigned one_in = 16;
        return measures_wait || (samples_wait_ && begun_++ % one_in == 0);
    }

    /// One was accepted, one has ended.
    void count_websocket() noexcept {
        counts.add(scoreboard::counter::websockets);
        slot.websockets.store(slot.websockets.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }
    void websocket_gone() noexcept {
        slot.websockets.store(slot.websockets.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
    }

    /// The number of those who wait for their place has perhaps changed.
    void tell_queue() noexcept {
        const std::size_t waiting = gate ? gate->waiting() : 0;
        slot.queued.store(static_cast<std::uint32_t>(waiting), std::memory_order_relaxed);
    }

    /// There can be so many connections at most. With the host there, others are told how many requests there
    /// can be in work.
    void limit_connections(std::size_t limit) noexcept;

    /// Takes notice of what the master has said.
    void heed_master() noexcept;

    /// The loop came to its heartbeat, so much too late.
    void count_beat(std::chrono::nanoseconds late) noexcept;

    /// IMF-fixdate of now, made once a second.
    [[nodiscard]] std::string_view date();

  private:
    const bool samples_wait_;
    unsigned begun_ = 0;
    std::chrono::nanoseconds interpreter_wait_{};  // counted so far
    std::int64_t date_second_ = 0;
    std::string date_;
};

}  // namespace unicoro::worker
