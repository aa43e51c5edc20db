// SPDX-License-Identifier: MIT
#include "monitor/agent_check.hpp"

#include "aio/watched_duplicate.hpp"
#include "log/log.hpp"

#include <unicoro/sleep.hpp>

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <utility>

namespace unicoro::monitor {
namespace {

using namespace std::chrono_literals;

using descriptor = asio::posix::basic_stream_descriptor<executor>;

// HAProxy keeps a server that its agent has drained so until the agent says "ready", also when the server has
// gone and come back. But "ready" undoes what an operator has set there as well, so it is said only as long
// as HAProxy may not have asked since the start.
constexpr std::chrono::nanoseconds said_ready = 60s;

// For a client to close, so that what it has sent does not reset the connection under the answer.
constexpr auto time_to_close = 1s;
constexpr std::size_t most_leaving = 64;
constexpr std::size_t most_sent = 4096;

constexpr auto pause_after_failure = 100ms;

void too_late(aio::deadline&, void* watched) noexcept {
    error_code ignored;
    static_cast<descriptor*>(watched)->close(ignored);
}

}  // namespace

std::string agent_words(const picture& of, int ready_workers, int free_percent) {
    if (of.seen.stopping) return "drain\n";
    if (!of.is_ready(ready_workers)) {
        return "down #" + std::to_string(of.serving()) + " of " + std::to_string(ready_workers) +
               " workers are ready\n";
    }
    const bool new_here = of.now - of.seen.started < said_ready.count();
    return (new_here ? "ready up " : "up ") + std::to_string(free_percent) + "%\n";
}

agent_check::agent_check(asio::io_context& io, observer& eyes, int ready_workers)
    : io_(io),
      eyes_(eyes),
      ready_workers_(ready_workers),
      deadlines_(io),
      patience_(deadlines_.queue(time_to_close)),
      leaving_(io) {}

awaitable<void> agent_check::measure() {
    for (;;) {
        (void)eyes_.glance();
        share_.take(eyes_.occupied());
        co_await sleep_for(busy_share::interval);
    }
}

awaitable<void> agent_check::serve(os::listener at) {
    aio::watched_duplicate listener(io_);
    if (const error_code failed = listener.open(at.fd())) {
        log::error("cannot watch {}: {}", at.address(), failed.message());
        co_return;
    }
    for (;;) {
        const auto [ec] = co_await listener->async_wait(asio::posix::descriptor_base::wait_read, as_tuple);
        if (ec) co_return;
        base::unique_fd client(accept4(at.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (client) {
            answer(std::move(client));
        } else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
            co_await sleep_for(pause_after_failure);
        }
    }
}

// A line fits into the empty buffer of a new connection.
void agent_check::answer(base::unique_fd client) {
    const picture& now = eyes_.glance();
    const std::string line = agent_words(now, ready_workers_, share_.free_percent());
    if (send(client.get(), line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) return;
    shutdown(client.get(), SHUT_WR);
    if (leaving_.size() < most_leaving) leaving_.spawn("end of an agent check", let_go(std::move(client)));
}

awaitable<void> agent_check::let_go(base::unique_fd client) {
    descriptor watched(io_, client.release());
    aio::deadline late(&too_late, &watched);
    deadlines_.arm(late, patience_);
    std::array<char, 512> ignored;
    for (std::size_t sent = 0; sent < most_sent;) {
        const auto [ec] = co_await watched.async_wait(asio::posix::descriptor_base::wait_read, as_tuple);
        if (ec) co_return;
        const ssize_t count = recv(watched.native_handle(), ignored.data(), ignored.size(), MSG_DONTWAIT);
        if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) co_return;
        if (count > 0) sent += static_cast<std::size_t>(count);
    }
}

}  // namespace unicoro::monitor
