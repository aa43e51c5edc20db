// SPDX-License-Identifier: MIT
#include "worker/edge_socket.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace unicoro::worker {

#if UNICORO_EDGE_WAIT

edge_socket::edge_socket(asio::io_context& io, int family, int fd)
    : base(io, asio::generic::stream_protocol(family, 0), fd),
      reactor_(asio::use_service<asio::detail::epoll_reactor>(io)),
      wait_(*this) {}

void edge_socket::pending_wait::begin(handler&& waiting, const second_look& look) {
    ec_ = error_code();
    seen_ = false;
    waiting_.emplace(std::move(waiting));
    look.deadlines.arm(look_, look.after);
}

void edge_socket::pending_wait::look_again(aio::deadline&, void* self) noexcept {
    auto& waiting = *static_cast<pending_wait*>(self);
    char unused = 0;
    const ssize_t there = recv(waiting.socket_.native_handle(), &unused, 1, MSG_PEEK | MSG_DONTWAIT);
    if (there < 0 && errno == EAGAIN) return;
    waiting.seen_ = true;
    error_code ignored;
    waiting.socket_.cancel(ignored);
}

void edge_socket::pending_wait::complete(
    void* owner, asio::detail::operation* self, const error_code&, std::size_t
) {
    auto& ended = *static_cast<pending_wait*>(self);
    ended.look_.disarm();
    handler waiting(std::move(*ended.waiting_));
    ended.waiting_.reset();
    const error_code outcome = ended.seen_ ? error_code() : error_code(ended.ec_);
    // Without an owner the io_context is being destroyed: the handler ends unheard.
    if (owner != nullptr) std::move(waiting)(outcome);
}

void edge_socket::start_wait(handler&& waiting, const second_look& look) {
    wait_.begin(std::move(waiting), look);
    auto& implementation = impl_.get_implementation();
    reactor_.start_op(
        asio::detail::epoll_reactor::read_op,
        implementation.socket_,
        implementation.reactor_data_,
        &wait_,
        false,
        true
    );
}

awaitable<std::tuple<error_code>> edge_socket::wait_edge(const second_look& look) {
    return asio::async_initiate<decltype(as_tuple), void(error_code)>(
        [](handler&& waiting, edge_socket* self, const second_look* when) {
            self->start_wait(std::move(waiting), *when);
        },
        as_tuple,
        this,
        &look
    );
}

#else

edge_socket::edge_socket(asio::io_context& io, int family, int fd)
    : base(io, asio::generic::stream_protocol(family, 0), fd) {}

// This wait looks at the socket when it begins: it misses nothing.
awaitable<std::tuple<error_code>> edge_socket::wait_edge(const second_look&) {
    return async_wait(asio::socket_base::wait_read, as_tuple);
}

#endif

}  // namespace unicoro::worker
