// SPDX-License-Identifier: MIT
#pragma once

#include "aio/asio.hpp"

#include <unicoro/result.hpp>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/version.hpp>

// Asio's async_wait re-arms epoll at every wait: a system call per request, and an allocation. Its
// reactor needs neither: it is edge-triggered and remembers an edge that came while nobody waited. Its
// interface is Asio's own and changed in Boost 1.82; from there on the public way is taken.
#if defined(BOOST_ASIO_HAS_EPOLL) && BOOST_ASIO_VERSION < 102700
#include <boost/asio/detail/epoll_reactor.hpp>
#include <boost/asio/detail/reactor_op.hpp>
#define UNICORO_EDGE_WAIT 1
#else
#define UNICORO_EDGE_WAIT 0
#endif

#include <optional>
#include <tuple>

namespace unicoro::worker {

/// A stream socket that can wait for the next readable edge at no cost. Must not be destroyed while a
/// wait is pending.
class edge_socket : public asio::basic_stream_socket<asio::generic::stream_protocol, executor> {
    using base = asio::basic_stream_socket<asio::generic::stream_protocol, executor>;

  public:
    edge_socket(asio::io_context& io, int family, int fd);

    /// Completes when something arrived since the socket was last read short; sometimes without cause.
    /// An end of file that arrived together with the last bytes is not told. One wait at a time;
    /// `cancel` ends it, cancellation slots do not.
    awaitable<std::tuple<error_code>> wait_edge();

#if UNICORO_EDGE_WAIT
  private:
    using handler =
        asio::detail::as_tuple_handler<asio::detail::awaitable_handler<executor, std::tuple<error_code>>>;

    // The one pending wait, part of the socket instead of an allocation each time.
    class pending_wait final : public asio::detail::reactor_op {
      public:
        pending_wait() : reactor_op(error_code(), &perform, &complete) {}

        void hold(handler&& waiting) {
            ec_ = error_code();
            waiting_.emplace(std::move(waiting));
        }

      private:
        // Whatever made the reactor call is used up: only the next edge counts after it.
        static status perform(reactor_op*) { return done_and_exhausted; }
        static void complete(void* owner, asio::detail::operation* self, const error_code&, std::size_t);

        std::optional<handler> waiting_;
    };

    void start_wait(handler&& waiting);

    asio::detail::epoll_reactor& reactor_;
    pending_wait wait_;
#endif
};

}  // namespace unicoro::worker
