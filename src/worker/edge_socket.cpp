// SPDX-License-Identifier: MIT
#include "worker/edge_socket.hpp"

#include <utility>

namespace unicoro::worker {

#if UNICORO_EDGE_WAIT

edge_socket::edge_socket(asio::io_context& io, int family, int fd)
    : base(io, asio::generic::stream_protocol(family, 0), fd),
      reactor_(asio::use_service<asio::detail::epoll_reactor>(io)) {}

void edge_socket::pending_wait::complete(
    void* owner, asio::detail::operation* self, const error_code&, std::size_t
) {
    auto& ended = *static_cast<pending_wait*>(self);
    handler waiting(std::move(*ended.waiting_));
    ended.waiting_.reset();
    // Without an owner the io_context is being destroyed: the handler ends unheard.
    if (owner != nullptr) std::move(waiting)(error_code(ended.ec_));
}

void edge_socket::start_wait(handler&& waiting) {
    wait_.hold(std::move(waiting));
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

awaitable<std::tuple<error_code>> edge_socket::wait_edge() {
    return asio::async_initiate<decltype(as_tuple), void(error_code)>(
        [](handler&& waiting, edge_socket* self) { self->start_wait(std::move(waiting)); }, as_tuple, this
    );
}

#else

edge_socket::edge_socket(asio::io_context& io, int family, int fd)
    : base(io, asio::generic::stream_protocol(family, 0), fd) {}

awaitable<std::tuple<error_code>> edge_socket::wait_edge() {
    return async_wait(asio::socket_base::wait_read, as_tuple);
}

#endif

}  // namespace unicoro::worker
