// SPDX-License-Identifier: MIT
#include "worker/accept_loop.hpp"

#include "aio/fresh_frames.hpp"
#include "aio/watched_duplicate.hpp"
#include "log/log.hpp"
#include "os/descriptors.hpp"
#include "os/forks.hpp"
#include "worker/http1_connection.hpp"

#include <unicoro/sleep.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <exception>
#include <memory>
#include <utility>

namespace unicoro::worker {
namespace {

using clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds pause_after_failure{100};
constexpr std::chrono::seconds between_complaints{10};

// With more than one worker on a socket, one connection per wake-up spreads them better.
constexpr int at_once_alone = 16;
constexpr int at_once_shared = 1;

// What siblings say of themselves need not be true.
constexpr int most_left_to_siblings = 20;

enum class accepted { one, none, failed };

struct accept_outcome {
    accepted what;
    error_code why = {};  ///< with `failed`: of a kind that trying again at once does not mend
};

void describe_peer(const sockaddr_storage& address, app::connection_info& info) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (address.ss_family == AF_INET) {
        const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
        inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
        info.remote_port = ntohs(v4.sin_port);
    } else if (address.ss_family == AF_INET6) {
        const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
        inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
        info.remote_port = ntohs(v6.sin6_port);
    }
    info.remote_address = text.data();
}

int accept_withheld(int listener, sockaddr_storage& peer) {
    socklen_t length = sizeof peer;
    os::fork_pause pause;
    const int fd =
        accept4(listener, reinterpret_cast<sockaddr*>(&peer), &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    pause.withhold(fd);
    return fd;
}

void close_withheld(int fd) {
    os::fork_pause pause;
    pause.forget(fd);
    close(fd);
}

accept_outcome accept_one(
    serving& shared, const os::listener& from, stream_factory& streams, aio::task_group& connections
) {
    sockaddr_storage peer{};
    const int fd = accept_withheld(from.fd(), peer);
    if (fd < 0) {
        switch (errno) {
            case EAGAIN: return {accepted::none};
            // The client gave up while it waited, or the network reported an old error (accept(2)).
            case EINTR:
            case ECONNABORTED:
            case EPROTO:
            case EPERM:
            case ENETDOWN:
            case ENOPROTOOPT:
            case EHOSTDOWN:
            case ENONET:
            case EHOSTUNREACH:
            case ENETUNREACH:
            case ETIMEDOUT: return {accepted::one};
            default: return {accepted::failed, {errno, boost::system::system_category()}};
        }
    }
    app::connection_info info;
    info.local_address = from.address();
    info.local_port = from.port();
    info.unix_socket = from.is_unix();
    const int family = from.is_unix() ? AF_UNIX : peer.ss_family;
    if (!from.is_unix()) describe_peer(peer, info);
    std::unique_ptr<byte_stream> stream;
    try {
        stream = streams.make(family, fd);
    } catch (const std::exception&) {
        // The reactor could not take it (ENOSPC, no memory): the descriptor is still ours.
        close_withheld(fd);
        return {accepted::failed, {ENOMEM, boost::system::system_category()}};
    }
    const aio::fresh_frames for_its_whole_life;
    auto client = std::make_unique<http1_connection>(shared, std::move(stream), std::move(info));
    http1_connection& serving_it = *client;
    connections.spawn(std::move(client), serving_it.serve());
    return {accepted::one};
}

void tell_full(const serving& shared) {
    if (shared.most_connections == shared.settings.worker_connections) {
        log::warning("worker_connections: {} are open, new ones wait in the backlog", shared.connections);
        return;
    }
    log::warning(
        "accept: Too many open files with more than {} connections (of {} descriptors some are kept for "
        "the application): new ones wait in the backlog; raise the limit (LimitNOFILE=, ulimit -Hn)",
        shared.connections,
        os::descriptor_limit()
    );
}

// Others who accept from the same socket were woken as well, and may have been sooner.
bool someone_waits(const os::listener& from) {
    pollfd watched{from.fd(), POLLIN, 0};
    return poll(&watched, 1, 0) == 1;
}

bool longest_idle_gives_way(serving& shared) {
    // One that drains accepts no more, and has told those that wait how long they may.
    while (!shared.draining && !shared.room_comes && !shared.idle.empty()) {
        shared.room_comes = shared.idle.front().give_way();
    }
    return shared.room_comes;
}

class complaint_limiter {
  public:
    bool due() {
        const auto now = clock::now();
        if (now < next_) return false;
        next_ = now + between_complaints;
        return true;
    }

  private:
    clock::time_point next_{};
};

}  // namespace

awaitable<void> accept_loop(
    serving& shared, const os::listener& from, stream_factory& streams, aio::task_group& connections
) {
    aio::watched_duplicate listener(shared.io);
    if (const error_code failed = listener.open(from.fd())) {
        log::error("cannot watch {}: {}", from.address(), failed.message());
        co_return;
    }
    complaint_limiter full;
    complaint_limiter starved;
    const int at_once = shared.settings.workers == 1 ? at_once_alone : at_once_shared;
    for (;;) {
        shared.turn.take(!shared.draining);
        const auto [ec] = co_await listener->async_wait(asio::posix::descriptor_base::wait_read, as_tuple);
        if (ec) co_return;
        if (const auto sibling = shared.turn.look(clock::now())) {
            co_await sleep_for(fair_turn::longest_wait);
            shared.turn.waited(*sibling, clock::now());
        }
        for (int left = 0; shared.is_full() && someone_waits(from); ++left) {
            shared.turn.take(false);
            const auto sibling = shared.turn.with_room();
            if (sibling && left < most_left_to_siblings) {
                co_await sleep_for(fair_turn::longest_wait_for_room);
                shared.turn.waited(*sibling, clock::now());
                continue;
            }
            if (!longest_idle_gives_way(shared) && full.due()) tell_full(shared);
            [[maybe_unused]] const auto [rung] = co_await shared.room.async_wait(as_tuple);
        }
        accept_outcome outcome{accepted::one};
        for (int i = 0; i < at_once && outcome.what == accepted::one; ++i) {
            if (shared.is_full()) break;
            outcome = accept_one(shared, from, streams, connections);
        }
        if (outcome.what == accepted::failed) {
            if (starved.due()) {
                log::warning("accept: {}; trying again every 0.1 s", outcome.why.message());
            }
            co_await sleep_for(pause_after_failure);
        }
    }
}

bool accept_backlog(
    serving& shared, const os::listener& from, stream_factory& streams, aio::task_group& connections
) {
    accept_outcome outcome{accepted::one};
    while (outcome.what == accepted::one && !shared.is_full()) {
        outcome = accept_one(shared, from, streams, connections);
    }
    return outcome.what == accepted::none;
}

}  // namespace unicoro::worker
