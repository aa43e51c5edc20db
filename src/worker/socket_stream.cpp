// SPDX-License-Identifier: MIT
#include "worker/socket_stream.hpp"

#include "os/forks.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace unicoro::worker {
namespace {

io_step step_of(ssize_t returned) noexcept {
    if (returned > 0) return {io_status::done, static_cast<std::size_t>(returned)};
    if (returned == 0) return {io_status::end};
    if (errno == EAGAIN) return {io_status::would_block};
    return {io_status::failed, 0, error_code(errno, boost::system::system_category())};
}

template <class Call>
io_step retry_interrupted(Call call) noexcept {
    ssize_t returned = call();
    while (returned < 0 && errno == EINTR) returned = call();
    return step_of(returned);
}

}  // namespace

socket_stream::socket_stream(asio::io_context& io, int family, int fd, const edge_waits* waits)
    : socket_(io, family, fd), waits_(waits), fd_(fd) {}

socket_stream::~socket_stream() {
    close();
}

// There the number may be a file of the application by now.
int socket_stream::own_fd() const noexcept {
    return os::forked_off() ? -1 : fd_;
}

io_step socket_stream::try_read(std::span<char> into) noexcept {
    const io_step step =
        retry_interrupted([&] { return recv(own_fd(), into.data(), into.size(), MSG_DONTWAIT); });
    drained_ = step.bytes < into.size();
    return step;
}

io_step socket_stream::try_write(std::span<const iovec> pieces) noexcept {
    if (pieces.size() == 1) {
        return retry_interrupted([&] {
            return send(own_fd(), pieces[0].iov_base, pieces[0].iov_len, MSG_NOSIGNAL | MSG_DONTWAIT);
        });
    }
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(pieces.data());
    message.msg_iovlen = pieces.size();
    return retry_interrupted([&] { return sendmsg(own_fd(), &message, MSG_NOSIGNAL | MSG_DONTWAIT); });
}

io_step socket_stream::try_send_file(int fd, std::uint64_t& offset, std::size_t count) noexcept {
    auto position = static_cast<off_t>(offset);
    const io_step step = retry_interrupted([&] {
        // One call moves at most this much, so that a fast client cannot hold the loop.
        constexpr std::size_t at_once = std::size_t{1} << 20;
        return sendfile(own_fd(), fd, &position, std::min(count, at_once));
    });
    offset = static_cast<std::uint64_t>(position);
    return step;
}

awaitable<std::tuple<error_code>> socket_stream::wait_readable() {
    return socket_.async_wait(asio::socket_base::wait_read, as_tuple);
}

awaitable<std::tuple<error_code>> socket_stream::wait_idle() {
    return waits_ != nullptr && drained_ ? socket_.wait_edge(*waits_) : wait_readable();
}

bool socket_stream::readable_now() noexcept {
    char unused = 0;
    return retry_interrupted([&] { return recv(own_fd(), &unused, 1, MSG_PEEK | MSG_DONTWAIT); }).status !=
           io_status::would_block;
}

awaitable<std::tuple<error_code>> socket_stream::wait_writable() {
    return socket_.async_wait(asio::socket_base::wait_write, as_tuple);
}

std::chrono::nanoseconds socket_stream::since_received() const noexcept {
    tcp_info info{};
    socklen_t size = sizeof info;
    if (getsockopt(own_fd(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return {};
    return std::chrono::milliseconds(info.tcpi_last_data_recv);
}

bool socket_stream::block_writable(std::chrono::milliseconds most) noexcept {
    pollfd watched{fd_, POLLOUT, 0};
    return poll(&watched, 1, static_cast<int>(most.count())) > 0;
}

bool socket_stream::block_readable(std::chrono::milliseconds most) noexcept {
    pollfd watched{fd_, POLLIN, 0};
    return poll(&watched, 1, static_cast<int>(most.count())) > 0;
}

void socket_stream::cancel() noexcept {
    error_code ignored;
    socket_.cancel(ignored);
}

void socket_stream::shutdown_write() noexcept {
    shutdown(own_fd(), SHUT_WR);
}

void socket_stream::shutdown_read() noexcept {
    shutdown(own_fd(), SHUT_RD);
}

void socket_stream::shutdown_both() noexcept {
    shutdown(own_fd(), SHUT_RDWR);
}

os::unique_fd socket_stream::duplicate() noexcept {
    // Both share their flags. Asio makes a socket non-blocking when it first waits, which must not come
    // after the other one has been made blocking.
    error_code failed;
    if (!os::forked_off()) socket_.native_non_blocking(true, failed);
    if (failed) return {};
    os::unique_fd copy(fcntl(own_fd(), F_DUPFD_CLOEXEC, 0));
    if (!copy) return {};
    // Inherited from the listening socket (os::limit_accept_wait): who makes it blocking means to wait.
    const timeval for_ever{};
    setsockopt(copy.get(), SOL_SOCKET, SO_RCVTIMEO, &for_ever, sizeof for_ever);
    shared_ = true;
    return copy;
}

void socket_stream::reset_on_close() noexcept {
    reset_ = true;
    const linger at_once{1, 0};
    setsockopt(own_fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

void socket_stream::close() noexcept {
    if (!socket_.is_open()) return;
    // An end before the reset would be taken for that of the response.
    if (shared_ && !reset_) shutdown_both();
    error_code ignored;
    if (os::forked_off()) {
        socket_.release(ignored);
        return;
    }
    os::fork_pause pause;
    pause.forget(fd_);
    socket_.close(ignored);
}

socket_streams::socket_streams(asio::io_context& io, aio::deadline_service& deadlines)
    : io_(io), waits_(io, deadlines) {}

std::unique_ptr<byte_stream> socket_streams::make(int family, int fd) {
    return std::make_unique<socket_stream>(io_, family, fd, &waits_);
}

}  // namespace unicoro::worker
