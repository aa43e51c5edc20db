// SPDX-License-Identifier: MIT
#include "worker/request_run.hpp"

#include "aio/cancellation.hpp"
#include "app/filtered_exchange.hpp"
#include "base/exception_text.hpp"
#include "log/access.hpp"
#include "log/log.hpp"
#include "worker/serving.hpp"

#include <boost/asio/this_coro.hpp>

#include <exception>
#include <memory>

namespace unicoro::worker {

request_run::request_run(serving& shared)
    : shared_(shared),
      nursery_(shared.io),
      deadline_(&request_run::expired, this),
      place_(&request_run::place_settled, this),
      slow_(*this),
      place_news_(shared.io),
      queue_deadline_(&request_run::queued_too_long, this) {}

request_run::~request_run() {
    if (!is_linked()) return;
    const auto alone = lock_of(shared_.watched);
    unlink();
}

void request_run::begin() {
    now_.running = true;
    shared_.heed_master();
    now_.started = scoreboard::monotonic_now();
    // A request that holds the loop has the whole of `timeout`, from here on.
    shared_.slot.heartbeat.store(now_.started, std::memory_order_relaxed);
    now_.ledger_entry = shared_.ledger.open(head().method, head().target, now_.started);
    {
        const auto alone = lock_of(shared_.watched);
        shared_.in_flight.push_back(*this);
    }
    shared_.deadlines.arm(deadline_, shared_.limits.request);
    if (shared_.measures_next_wait()) measure_wait();
}

awaitable<void> request_run::run() {
    std::exception_ptr failure;
    std::unique_ptr<app::filtered_exchange> filtered;
    try {
        if (asks_for_health()) {
            tell_health();
        } else if (const auto where = shared_.locations.find(head())) {
            is_at(*where);
            now_.row = shared_.row_of(*where);
            if (!shared_.rules.empty()) come_under_rule();
            if (where->folder) {
                co_await shared_.files.answer(*this);
            } else {
                filtered = shared_.filters.around(*this);
                app::exchange& seen = filtered ? static_cast<app::exchange&>(*filtered) : *this;
                co_await shared_.host->handle(seen);
                if (filtered) co_await filtered->deliver();
            }
        } else {
            fail(404, "No application is mounted there");
        }
    } catch (...) {
        failure = std::current_exception();
    }
    handled();
    is_now(scoreboard::request_stage::sending);
    // Nothing that was started for the request may see its end, least of all when that came early.
    if (!nursery_.empty()) {
        // Not in a coroutine of its own, which a request that is cancelled cannot await.
        co_await asio::this_coro::throw_if_cancelled(false);
        co_await nursery_.close();
        co_await asio::this_coro::throw_if_cancelled(true);
    }
    leave();
    if (now_.out_of_time && !connection_cancelled()) {
        // The cancellation was for the handling only: what answers it must not see it.
        co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
        fail(504, "The request took longer than request_timeout");
    } else if (failure && shared_.draining && aio::is_cancellation(failure)) {
        fail(503, "The server is shutting down");
    } else if (failure) {
        log_failure(failure);
        fail(500, "");
    }
    const bool concluded = try_conclude();
    if (!concluded) co_await conclude();
}

void request_run::end() {
    deadline_.disarm();
    shared_.ledger.close(now_.ledger_entry);
    if (!connection().warm_up) {
        count_end();
        tell_metrics();
        if (is_logged()) write_access_line();
        shared_.slot.requests.store(
            shared_.slot.requests.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed
        );
        if (shared_.requests_left > 0 && --shared_.requests_left == 0) shared_.on_request_limit();
    }
    forget();
}

void request_run::forget() noexcept {
    // Who ends with it finds the next one, which knows nothing.
    leave();
    {
        const auto alone = lock_of(shared_.watched);
        if (is_linked()) unlink();
        exchange::runs_as(nullptr);
    }
    queue_deadline_.disarm();
    const of_request over = std::exchange(now_, of_request());
    response_.reset();
    is_at({});
}

void request_run::runs_as(app::running_request* running) noexcept {
    const auto alone = lock_of(shared_.watched);
    exchange::runs_as(running);
}

bool request_run::is_logged() const noexcept {
    if (now_.about_health && !shared_.settings.monitoring.health_access_log) return false;
    return shared_.logs_access && log::access_enabled();
}

void request_run::is_now(scoreboard::request_stage stage) noexcept {
    shared_.ledger.is_now(now_.ledger_entry, stage);
}

void request_run::count_end() noexcept {
    const scoreboard::counting& counts = shared_.counts;
    counts.request(now_.row, outcome());
    counts.add(scoreboard::counter::bytes_sent, now_.body_sent);
    // One that was refused had no time to take.
    if (now_.running) counts.took(scoreboard::timing::duration, scoreboard::monotonic_now() - now_.started);
    if (now_.entered != 0) counts.took(scoreboard::timing::queue, wait_until_entered());
}

std::string request_run::described(std::int64_t now) const {
    return fmt::format(
        "{} {} for {:.2f} s{}",
        log::escaped(head().method),
        log::escaped(head().path),
        static_cast<double>(now - now_.started) / 1e9,
        place_.waits() ? ", waiting for its place" : ""
    );
}

void request_run::expired(aio::deadline&, void* self) noexcept {
    auto& late = *static_cast<request_run*>(self);
    if (!late.may_expire()) return;
    late.now_.out_of_time = true;
    const app::running_request* const inside = late.running();
    const std::string stack = inside != nullptr ? inside->stack() : std::string();
    log::warning(
        "request_timeout: {} {} cancelled after {:.1f} s{}",
        log::escaped(late.head().method),
        log::escaped(late.head().target),
        static_cast<double>(scoreboard::monotonic_now() - late.now_.started) / 1e9,
        stack.empty() ? stack : "; it was here:\n" + stack
    );
    late.cancel_handling();
}

void request_run::log_failure(const std::exception_ptr& failure) const {
    log::error(
        "{} {}: {}",
        log::escaped(head().method),
        log::escaped(head().target),
        log::escaped(base::exception_text(failure))
    );
}

void request_run::hint(const http::response_head& hints) {
    if (!shared_.settings.early_hints || answered() || head_sent() || head().wants_websocket) return;
    send_hints(hints);
}

void request_run::fail(int status, std::string_view detail) {
    if (answered()) return;
    if (head_sent()) {
        cut();
    } else {
        respond(page(status, detail));
    }
}

std::string request_run::page(int status, std::string_view detail) {
    response_.reset();
    [[maybe_unused]] const error_code known_status = response_.set_status(status);
    [[maybe_unused]] const error_code valid = response_.add("Content-Type", "text/html; charset=utf-8");
    return http::error_page(status, detail);
}

std::string request_run::page_of_refusal(int status, std::string_view detail) {
    log::info("Invalid request from ip={}: {} ({})", client().address, detail, status);
    return page(status, detail);
}

void request_run::end_refused() {
    now_.started = scoreboard::monotonic_now();
    count_end();
    tell_metrics();
    if (is_logged()) write_access_line();
    forget();
}

std::span<const std::string> request_run::logged_environ() const noexcept {
    return log::access_environ_names();
}

void request_run::log_environ(std::string name, std::string value) {
    now_.environ.emplace_back(std::move(name), std::move(value));
}

}  // namespace unicoro::worker
