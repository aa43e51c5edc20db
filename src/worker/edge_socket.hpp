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

#include <optional>
#include <tuple>

namespace unicoro::worker {

/// When a socket that waits for an edge is looked at once. An end of file that arrived together with the
/// last bytes read makes no edge of its own.
struct second_look {
    aio::deadline_service& deadlines;
    aio::deadline_queue& after;
};

/// A stream socket that can wait for the next readable edge at no cost. Must not be destroyed while a
/// wait is pending.
class edge_socket : public asio::basic_stream_socket<asio::generic::stream_protocol, executor> {
    using base = asio::basic_stream_socket<asio::generic::stream_protocol, executor>;

  public:
    edge_socket(asio::io_context& io, int family, int fd);

    /// Completes when something arrived since the socket was last read short, an end of file within the
    /// time of `look` at the latest; sometimes without cause. One wait at a time; `cancel` ends it,
    /// cancellation slots do not. `look` outlives the wait.
    awaitable<std::tuple<error_code>> wait_edge(const second_look& look);

#if UNICORO_EDGE_WAIT
  private:
    using handler =
        asio::detail::as_tuple_handler<asio::detail::awaitable_handler<executor, std::tuple<error_code>>>;

    // The one pending wait, part of the socket instead of an allocation each time.
    class pending_wait final : public asio::detail::reactor_op {
      public:
        explicit pending_wait(edge_socket& owner)
            : reactor_op(error_code(), &perform, &complete),
              look_(&pending_wait::look_again, this),
              socket_(owner) {}

        void begin(handler&& waiting, const second_look& look);

      private:
        // Whatever made the reactor call is used up: only the next edge counts after it.
        static status perform(reactor_op*) { return done_and_exhausted; }
        static void complete(void* owner, asio::detail::operation* self, const error_code&, std::size_t);
        static void look_again(aio::deadline& which, void* self) noexcept;

        std::optional<handler> waiting_;
        aio::deadline look_;
        edge_socket& socket_;
        bool seen_ = false;  // by the second look
    };

    void start_wait(handler&& waiting, const second_look& look);

    asio::detail::epoll_reactor& reactor_;
    pending_wait wait_;
#endif
};

}  // namespace unicoro::worker
