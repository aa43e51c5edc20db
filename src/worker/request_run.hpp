// SPDX-License-Identifier: MIT
#pragma once

#include "aio/deadline.hpp"
#include "aio/event.hpp"
#include "aio/task_group.hpp"
#include "app/exchange.hpp"
#include "http/response_head.hpp"
#include "scoreboard/scoreboard.hpp"
#include "worker/admission.hpp"
#include "worker/request_rules.hpp"
#include "worker/requests_in_flight.hpp"
#include "worker/slow_log.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unicoro::worker {

struct serving;

/// The life of one request, whatever carries it: its entry in the scoreboard, its own deadline and
/// cancellation, the nursery of what was started for it, what becomes of a failure, its access line, the
/// counters. Pooled by what derives from it, which brings the bytes: from `begin` to `end` it is one
/// request, and a fresh state takes the place of the last one's. Owned by the connection, in whose
/// coroutine, or in one of whose coroutines, `run` runs.
class request_run : public app::exchange, public in_flight_hook {
  public:
    explicit request_run(serving& shared);
    ~request_run() override;

    /// Lets the application answer; what fails on the way is answered 404, 500, 503 or 504. Returns when
    /// nothing that was started for the request is left and the response is sent, or cannot be.
    awaitable<void> run();

    // --- app::exchange

    aio::task_group& nursery() noexcept final { return nursery_; }
    http::response_head& response() noexcept final { return response_; }
    void hint(const http::response_head& hints) final;
    void fail(int status, std::string_view detail) final;
    std::span<const std::string> logged_environ() const noexcept final;
    void log_environ(std::string name, std::string value) final;
    bool try_enter() final;
    awaitable<bool> enter() final;
    void leave() noexcept final;
    std::optional<std::chrono::nanoseconds> waited() noexcept final;
    bool measures_cpu() const noexcept final;
    void add_cpu_time(std::chrono::nanoseconds used) noexcept final;

    /// Method, path and age, and whether it still waits for its place: for the log, on the loop.
    [[nodiscard]] std::string described(std::int64_t now) const;

    /// Who it is in the ledger, and what its code runs as: from any thread that keeps watch of those in
    /// flight.
    struct identity {
        std::uint32_t entry;
        std::int64_t started;
    };
    [[nodiscard]] identity who() const noexcept { return {now_.ledger_entry, now_.started}; }
    void runs_as(app::running_request* running) noexcept final;

    /// For the slow log: from any thread, as long as it is in there.
    [[nodiscard]] slow_log::facts slow_facts(std::int64_t now) noexcept;

  protected:
    // --- for what carries it

    /// The head is whole.
    void begin();
    /// Nothing of it runs any more. Writes the access line, counts, forgets.
    void end();
    void forget() noexcept;
    [[nodiscard]] bool begun() const noexcept { return now_.running; }

    /// request_timeout does not count any more.
    void lift_deadline() noexcept { deadline_.disarm(); }
    /// A response without an end is not slow.
    void no_end_in_sight() noexcept { slow_.leave(); }
    [[nodiscard]] bool out_of_time() const noexcept { return now_.out_of_time; }

    /// A page of the server's own takes the place of whatever the response was to be.
    [[nodiscard]] std::string page(int status, std::string_view detail);
    /// The same for a request that was refused before it began; the access log has a line of it all the same.
    [[nodiscard]] std::string page_of_refusal(int status, std::string_view detail);
    void end_refused();

    void is_now(scoreboard::request_stage stage) noexcept;
    /// The head of the response is about to be made and sent.
    void answer_begins();
    void count_sent(std::uint64_t bytes) noexcept { now_.body_sent += bytes; }
    [[nodiscard]] std::uint64_t body_sent() const noexcept { return now_.body_sent; }
    /// What the access log says, where it is not the status of `response`.
    void log_as(int status) noexcept { now_.logged_status = status; }

    serving& shared_;

  private:
    friend struct fresh_request_probe;

    struct of_request {
        std::int64_t started = 0;  // monotonic nanoseconds
        std::uint64_t body_sent = 0;
        std::vector<std::pair<std::string, std::string>> environ;
        std::int64_t in_kernel = 0;      // nanoseconds, until its head was read
        std::int64_t waited_before = 0;  // the same, or since a proxy got it
        std::int64_t asked = 0;          // monotonic nanoseconds: for its place; 0 = it did not have to
        std::int64_t entered = 0;        // the application has seen it; perhaps set by its thread
        std::uint32_t ledger_entry = scoreboard::request_ledger::no_entry;
        std::size_t row = scoreboard::row_of_server;  // of the counters
        std::int64_t first_byte = 0;  // the same, of the response; 0 = none yet, or not measured
        std::int64_t cpu_time = -1;   // nanoseconds; -1 = not known
        int logged_status = 0;
        request_rules::number rule = request_rules::none;
        bool running = false;
        bool out_of_time = false;
        bool about_health = false;
        bool wait_measured = false;

        bool operator==(const of_request&) const = default;
    };

    /// How long the last bytes of its head have lain in the kernel before they were read.
    [[nodiscard]] virtual std::chrono::nanoseconds lay_unread() const noexcept = 0;
    /// The client is one whose forwarding fields are believed.
    [[nodiscard]] virtual bool from_trusted() const noexcept = 0;
    /// `wait_disconnect` may be called: nothing of the body is left to read.
    [[nodiscard]] virtual bool body_read() const noexcept = 0;
    /// False where it is too late to end what runs: it has left the request behind.
    [[nodiscard]] virtual bool may_expire() noexcept = 0;
    /// Makes what `run` awaits throw operation_aborted, and nothing else of the connection.
    virtual void cancel_handling() noexcept = 0;
    /// The connection itself was told to end.
    [[nodiscard]] virtual bool connection_cancelled() const noexcept = 0;
    /// As exchange::hint, where hints may be sent at all.
    virtual void send_hints(const http::response_head& hints) = 0;
    /// `handle` has returned or thrown, the nursery is still open.
    virtual void handled() noexcept = 0;
    /// Nothing can be answered any more.
    [[nodiscard]] virtual bool answered() const noexcept = 0;
    /// The client must not take what it has got for a whole response.
    virtual void cut() noexcept = 0;
    /// Sends what `handle` left to be sent. True when nothing is left to wait for.
    [[nodiscard]] virtual bool try_conclude() = 0;
    /// The rest of it, waiting where needed.
    virtual awaitable<void> conclude() = 0;

    static void expired(aio::deadline& which, void* self) noexcept;
    static void queued_too_long(aio::deadline& which, void* self) noexcept;
    static void place_settled(admission::ticket& which, void* self) noexcept;

    void come_under_rule() noexcept;
    void has_entered();
    void measure_wait() noexcept;
    [[nodiscard]] std::int64_t wait_until_entered() const noexcept;
    awaitable<void> watch_client();
    void shed();
    [[nodiscard]] bool asks_for_health() const noexcept;
    void tell_health();

    void report_load();
    [[nodiscard]] bool is_logged() const noexcept;
    [[nodiscard]] int outcome() const noexcept;
    void count_end() noexcept;
    void log_failure(const std::exception_ptr& failure) const;
    void tell_metrics() const noexcept;
    void write_access_line();

    aio::task_group nursery_;
    http::response_head response_;
    aio::deadline deadline_;
    admission::ticket place_;
    slow_log::entry slow_;
    aio::event place_news_;
    aio::deadline queue_deadline_;
    of_request now_;
};

}  // namespace unicoro::worker
