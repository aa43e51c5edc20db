// SPDX-License-Identifier: MIT
#pragma once

#include "aio/asio.hpp"
#include "aio/deadline.hpp"

#include <unicoro/result.hpp>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/version.hpp>

// Asio's async_wait re-arms epoll at every wait: a system call per request, and an allocation. Its
// reactor needs neither: it is edge-triggered and remembers an edge that came while nobody waited. Its
// interface is Asio's own and changed in Boost 1.82; from there on the public way is taken. The tests are
// built with both.
#ifndef UNICORO_EDGE_WAIT
#if defined(BOOST_ASIO_HAS_EPOLL) && BOOST_ASIO_VERSION < 102700
#define UNICORO_EDGE_WAIT 1
#else
#define UNICORO_EDGE_WAIT 0
#endif
#endif

#if UNICORO_EDGE_WAIT
#include <boost/asio/detail/epoll_reactor.hpp>
#include <boost/asio/detail/reactor_op.hpp>
#endif

#include <cstdint>
#include <optional>
#include <tuple>

namespace unicoro::worker {

/// What all sockets of a loop need for their waits. Owned by who makes them, lives longer.
struct edge_waits {
    edge_waits(asio::io_context& io, aio::deadline_service& service);

    /// A socket that waits for an edge is looked at once, this long after the wait began: an end of file that
    /// arrived together with the last bytes read makes no edge of its own.
    aio::deadline_service& deadlines;
    aio::deadline_queue& second_look;
#if UNICORO_EDGE_WAIT
    asio::detail::epoll_reactor& reactor;
#endif
};

#if UNICORO_EDGE_WAIT

/// The one pending wait of a socket, part of it instead of an allocation each time.
class pending_edge : public asio::detail::reactor_op {
  protected:
    using handler =
        asio::detail::as_tuple_handler<asio::detail::awaitable_handler<executor, std::tuple<error_code>>>;

    pending_edge(func_type when_over, aio::deadline::callback look_again, void* owner)
        : reactor_op(error_code(), &perform, when_over), look_(look_again, owner) {}

    /// What the second look has seen.
    enum class look : std::uint8_t { none, something, nothing };

    std::optional<handler> waiting_;
    aio::deadline look_;
    look seen_ = look::none;
    bool quiet_ = false;  // the last wait ended so: nothing had come

  private:
    // Whatever made the reactor call is used up: only the next edge counts after it.
    static status perform(reactor_op*) { return done_and_exhausted; }
};

#else

struct pending_edge {};

#endif

/// A stream socket that can wait for the next readable edge at no cost. Must not be destroyed while a
/// wait is pending.
class edge_socket : private pending_edge,
                    public asio::basic_stream_socket<asio::generic::stream_protocol, executor> {
    using base = asio::basic_stream_socket<asio::generic::stream_protocol, executor>;

  public:
    edge_socket(asio::io_context& io, int family, int fd);

    /// Completes when something arrived since the socket was last read short, an end of file after the
    /// second look at the latest; sometimes without cause. Fails with try_again when the second look finds
    /// nothing: the next wait keeps less memory, and may be long. One wait at a time; `cancel` ends it,
    /// cancellation slots do not.
    awaitable<std::tuple<error_code>> wait_edge(const edge_waits& shared);

#if UNICORO_EDGE_WAIT
  private:
    void start_wait(handler&& waiting, const edge_waits& shared);
    static void wait_over(void* owner, asio::detail::operation* self, const error_code&, std::size_t);
    static void look_again(aio::deadline& which, void* self) noexcept;
#endif
};

}  // namespace unicoro::worker
