// SPDX-License-Identifier: MIT
// How a request gets to its application: its rule, its place, and how long that took.
#include "http/request_start.hpp"
#include "log/log.hpp"
#include "worker/request_run.hpp"
#include "worker/serving.hpp"

#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <atomic>
#include <string>
#include <tuple>

namespace unicoro::worker {
namespace {

constexpr std::chrono::seconds between_complaints{10};

/// When a client that was refused may try again: what waits now is through by then.
std::string retry_after(std::chrono::milliseconds queue_timeout) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(queue_timeout).count();
    return std::to_string(std::max<std::int64_t>(seconds, 1));
}

}  // namespace

void request_run::come_under_rule() noexcept {
    now_.rule = shared_.rules.find(where().site);
    if (now_.rule != request_rules::none) {
        shared_.deadlines.arm(deadline_, shared_.rules.timeout(now_.rule));
    }
}

void request_run::measure_wait() noexcept {
    now_.wait_measured = true;
    std::chrono::nanoseconds longest = lay_unread();
    now_.in_kernel = longest.count();
    const auto told = head().find("X-Request-Start");
    if (told && from_trusted()) {
        const auto by_proxy = http::waited_since(*told, std::chrono::system_clock::now());
        longest = std::max(longest, by_proxy.value_or(longest));
    }
    now_.waited_before = longest.count();
}

std::int64_t request_run::wait_until_entered() const noexcept {
    const std::int64_t since = now_.asked != 0 ? now_.asked : now_.started;
    return now_.waited_before + now_.entered - since;
}

std::optional<std::chrono::nanoseconds> request_run::waited() noexcept {
    if (!now_.wait_measured) return std::nullopt;
    // The application may see it in a thread of its own, while the loop has a look.
    const std::atomic_ref<std::int64_t> entered(now_.entered);
    if (entered.load(std::memory_order_relaxed) == 0) {
        entered.store(scoreboard::monotonic_now(), std::memory_order_relaxed);
    }
    // Of a sample nobody else is told.
    if (!shared_.measures_wait) return std::nullopt;
    return std::chrono::nanoseconds(wait_until_entered());
}

bool request_run::asks_for_health() const noexcept {
    const std::optional<std::string>& path = shared_.settings.monitoring.health_path;
    return path && head().path == *path;
}

// Before the request has asked for a place, and whatever the application is at.
void request_run::tell_health() {
    now_.about_health = true;
    if (head().method != "GET" && head().method != "HEAD") {
        fail(405, "Ask for its health by GET or HEAD");
        [[maybe_unused]] const error_code allowed = response_.add("Allow", "GET, HEAD");
        return;
    }
    const bool stops = shared_.slot.server_stops.load(std::memory_order_relaxed);
    [[maybe_unused]] error_code valid = response_.set_status(stops ? 503 : 200);
    valid = response_.add("Content-Type", "text/plain; charset=utf-8");
    valid = response_.add("Cache-Control", "no-store");
    respond(stops ? "stopping\n" : "OK\n");
}

bool request_run::try_enter() {
    if (!shared_.measures_wait) return true;
    now_.asked = scoreboard::monotonic_now();
    if (shared_.gate) {
        shared_.gate->ask(place_, now_.rule, now_.asked - now_.in_kernel);
        shared_.tell_queue();
        if (!place_.inside() || shared_.host->holds_loop()) return false;
    }
    has_entered();
    return true;
}

void request_run::has_entered() {
    if (shared_.slow != nullptr) shared_.slow->add(slow_);
}

void request_run::leave() noexcept {
    place_.leave();
    if (shared_.gate) shared_.tell_queue();
    slow_.leave();
}

slow_log::facts request_run::slow_facts(std::int64_t now) noexcept {
    const std::int64_t entered = std::atomic_ref(now_.entered).load(std::memory_order_relaxed);
    const std::int64_t until = entered != 0 ? entered : now;
    slow_log::facts told{std::string(head().method), std::string(head().path), {}, {}};
    told.waited = std::chrono::nanoseconds(now_.waited_before + until - now_.asked);
    if (entered != 0) told.ran = std::chrono::nanoseconds(now - entered);
    return told;
}

awaitable<bool> request_run::enter() {
    if (place_.inside()) {
        // What has come is read before the loop is held: else it would wait where nobody orders or counts it.
        [[maybe_unused]] const std::tuple<> turn = co_await asio::post(shared_.io, as_tuple);
        has_entered();
    } else if (place_.waits()) {
        lift_deadline();
        is_now(scoreboard::request_stage::queued);
        shared_.deadlines.arm(queue_deadline_, shared_.limits.queued);
        if (body_read()) nursery_.spawn("watch for the client of a waiting request", watch_client());
        error_code cancelled;
        while (place_.waits() && !cancelled) {
            const auto [ec] = co_await place_news_.wait();
            cancelled = ec;
        }
        queue_deadline_.disarm();
        // The watch ends with the request's nursery then.
        if (cancelled) throw boost::system::system_error(cancelled);
        co_await nursery_.close();
        if (place_.inside()) {
            shared_.deadlines.arm(deadline_, shared_.rules.timeout(now_.rule));
            is_now(scoreboard::request_stage::application);
            has_entered();
        }
    }
    if (place_.refused()) shed();
    co_return place_.inside();
}

awaitable<void> request_run::watch_client() {
    co_await wait_disconnect();
    if (!disconnected() || !place_.waits()) co_return;
    place_.leave();
    place_news_.set();
}

void request_run::place_settled(admission::ticket&, void* self) noexcept {
    static_cast<request_run*>(self)->place_news_.set();
}

void request_run::queued_too_long(aio::deadline&, void* self) noexcept {
    static_cast<request_run*>(self)->place_.refuse();
}

void request_run::shed() {
    shared_.counts.add(scoreboard::counter::shed);
    const settings::server_settings& values = shared_.settings;
    fail(503, "The server has more to do than it can; try again later");
    [[maybe_unused]] const error_code valid = response_.add("Retry-After", retry_after(values.queue_timeout));
    shed_tally& tally = shared_.shed;
    ++tally.untold;
    const auto now = std::chrono::steady_clock::now();
    if (now < tally.next) return;
    tally.next = now + between_complaints;
    log::warning(
        "max_concurrent_requests: {} answered 503 since the last such line; {} run, {} wait; this one: {} {}",
        std::exchange(tally.untold, 0),
        shared_.gate->inside(),
        shared_.gate->waiting(),
        log::escaped(head().method),
        log::escaped(head().target)
    );
}

}  // namespace unicoro::worker
