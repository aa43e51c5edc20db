// SPDX-License-Identifier: MIT
#include "worker/edge_socket.hpp"

#include "aio/fresh_frames.hpp"

#include <boost/asio/error.hpp>

#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <utility>

namespace unicoro::worker {
namespace {

constexpr std::chrono::milliseconds second_look_after{50};

}  // namespace

#if UNICORO_EDGE_WAIT

edge_waits::edge_waits(asio::io_context& io, aio::deadline_service& service)
    : deadlines(service),
      second_look(service.queue(second_look_after)),
      reactor(asio::use_service<asio::detail::epoll_reactor>(io)) {}

edge_socket::edge_socket(asio::io_context& io, int family, int fd)
    : pending_edge(&edge_socket::wait_over, &edge_socket::look_again, this),
      base(io, asio::generic::stream_protocol(family, 0), fd) {}

void edge_socket::look_again(aio::deadline&, void* self) noexcept {
    auto& socket = *static_cast<edge_socket*>(self);
    char unused = 0;
    const ssize_t there = recv(socket.native_handle(), &unused, 1, MSG_PEEK | MSG_DONTWAIT);
    socket.seen_ = there < 0 && errno == EAGAIN ? look::nothing : look::something;
    error_code ignored;
    socket.cancel(ignored);
}

void edge_socket::wait_over(void* owner, asio::detail::operation* self, const error_code&, std::size_t) {
    auto& socket = *static_cast<edge_socket*>(static_cast<pending_edge*>(self));
    socket.look_.disarm();
    handler waiting(std::move(*socket.waiting_));
    socket.waiting_.reset();
    socket.quiet_ = socket.seen_ == look::nothing;
    error_code outcome = socket.ec_;
    if (socket.quiet_) outcome = asio::error::try_again;
    if (socket.seen_ == look::something) outcome = {};
    // Without an owner the io_context is being destroyed: the handler ends unheard.
    if (owner != nullptr) std::move(waiting)(outcome);
}

void edge_socket::start_wait(handler&& waiting, const edge_waits& shared) {
    ec_ = error_code();
    seen_ = look::none;
    waiting_.emplace(std::move(waiting));
    // Once is enough: what comes later makes an edge.
    if (!quiet_) shared.deadlines.arm(look_, shared.second_look);
    auto& implementation = impl_.get_implementation();
    shared.reactor.start_op(
        asio::detail::epoll_reactor::read_op,
        implementation.socket_,
        implementation.reactor_data_,
        this,
        false,
        true
    );
}

awaitable<std::tuple<error_code>> edge_socket::wait_edge(const edge_waits& shared) {
    std::optional<aio::fresh_frames> fresh;
    if (quiet_) fresh.emplace();
    return asio::async_initiate<decltype(as_tuple), void(error_code)>(
        [](handler&& waiting, edge_socket* self, const edge_waits* with) {
            self->start_wait(std::move(waiting), *with);
        },
        as_tuple,
        this,
        &shared
    );
}

#else

edge_waits::edge_waits(asio::io_context&, aio::deadline_service& service)
    : deadlines(service), second_look(service.queue(second_look_after)) {}

edge_socket::edge_socket(asio::io_context& io, int family, int fd)
    : base(io, asio::generic::stream_protocol(family, 0), fd) {}

// This wait looks at the socket when it begins: it misses nothing.
awaitable<std::tuple<error_code>> edge_socket::wait_edge(const edge_waits&) {
    return async_wait(asio::socket_base::wait_read, as_tuple);
}

#endif

}  // namespace unicoro::worker
