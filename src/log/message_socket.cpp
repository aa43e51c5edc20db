// SPDX-License-Identifier: MIT
#include "log/message_socket.hpp"

#include <fmt/format.h>

#include <netdb.h>
#include <sys/un.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <new>

namespace unicoro::log {
namespace {

using namespace std::chrono_literals;

// Some thousand messages, for a daemon that is busy or starts again.
constexpr std::size_t most_waiting = std::size_t{256} * 1024;

using size_mark = std::uint32_t;

}  // namespace

bool message_socket::is_stream() const noexcept {
    return target_.type == SOCK_STREAM;
}

std::optional<std::string> message_socket::resolve() {
    using enum message_address::way;
    if (!where_.path.empty()) {
        sockaddr_un local{};
        local.sun_family = AF_UNIX;
        std::memcpy(local.sun_path, where_.path.data(), where_.path.size());
        std::memcpy(&target_.address, &local, sizeof(local));
        target_.size = sizeof(local);
        target_.type = where_.by == unix_stream ? SOCK_STREAM : SOCK_DGRAM;
        return std::nullopt;
    }
    addrinfo wanted{};
    wanted.ai_socktype = where_.by == tcp ? SOCK_STREAM : SOCK_DGRAM;
    addrinfo* found = nullptr;
    const std::string port = std::to_string(where_.port);
    const int failed = ::getaddrinfo(where_.host.c_str(), port.c_str(), &wanted, &found);
    if (failed != 0) return fmt::format("cannot look up '{}': {}", where_.host, ::gai_strerror(failed));
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> list(found, &::freeaddrinfo);
    // IPv4 first, where such daemons usually listen: a name such as localhost has both.
    const addrinfo* chosen = found;
    for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
        if (each->ai_family != AF_INET) continue;
        chosen = each;
        break;
    }
    std::memcpy(&target_.address, chosen->ai_addr, chosen->ai_addrlen);
    target_.size = chosen->ai_addrlen;
    target_.type = wanted.ai_socktype;
    return std::nullopt;
}

bool message_socket::send(std::string_view message) noexcept {
    const process_lock held(holder_);
    enter(held.self());
    if (!connected()) {
        errno = why_;
        return false;
    }
    send_waiting();
    if (used_ > 0) return keep(message, 0);
    std::size_t taken = 0;
    switch (put(message, taken)) {
        case outcome::sent: return true;
        case outcome::full: return keep(message, taken);
        case outcome::failed: break;
    }
    errno = why_;
    return false;
}

void message_socket::flush() noexcept {
    const process_lock held(holder_);
    enter(held.self());
    if (used_ > 0 && connected()) send_waiting();
}

bool message_socket::settled() noexcept {
    const process_lock held(holder_);
    enter(held.self());
    return used_ == 0;
}

// Another process than the last time: what waits is its parent's, as is a stream.
void message_socket::enter(pid_t self) noexcept {
    if (owner_ == self) return;
    owner_ = self;
    used_ = 0;
    gone_ = 0;
    if (is_stream()) fd_.reset();
}

bool message_socket::connected() noexcept {
    if (fd_) return true;
    if (clock::now() < again_) return false;
    base::unique_fd made = connect(target_.type);
    if (!made && errno == EPROTOTYPE && where_.by == message_address::way::unix_any) {
        target_.type = target_.type == SOCK_DGRAM ? SOCK_STREAM : SOCK_DGRAM;
        made = connect(target_.type);
    }
    if (!made) {
        fail();
        return false;
    }
    fd_ = std::move(made);
    return true;
}

base::unique_fd message_socket::connect(int type) const noexcept {
    base::unique_fd made(::socket(target_.address.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const auto* const address = reinterpret_cast<const sockaddr*>(&target_.address);
    if (made && ::connect(made.get(), address, target_.size) != 0 && errno != EINPROGRESS) {
        const int why = errno;
        made.reset();
        errno = why;
    }
    return made;
}

void message_socket::fail() noexcept {
    why_ = errno;
    fd_.reset();
    again_ = clock::now() + 1s;
    // The rest of a message that has begun would be none on another connection.
    if (gone_ == 0) return;
    size_mark size = 0;
    std::memcpy(&size, waiting_.get(), sizeof(size));
    used_ -= sizeof(size) + size;
    std::memmove(waiting_.get(), waiting_.get() + sizeof(size) + size, used_);
    gone_ = 0;
}

message_socket::outcome message_socket::put(std::string_view message, std::size_t& taken) noexcept {
    while (taken < message.size()) {
        const std::string_view rest = message.substr(taken);
        const ssize_t sent = ::send(fd_.get(), rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent >= 0) {
            taken += static_cast<std::size_t>(sent);
            continue;
        }
        if (errno == EINTR) continue;
        if (errno == EAGAIN || errno == ENOBUFS) return outcome::full;
        if (errno == ECONNREFUSED && where_.by == message_address::way::udp) {
            // It tells of a datagram before, which is as lost; this one may arrive.
            why_ = errno;
            ::send(fd_.get(), message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
            return outcome::failed;
        }
        fail();
        return outcome::failed;
    }
    return outcome::sent;
}

void message_socket::send_waiting() noexcept {
    while (used_ > 0) {
        size_mark size = 0;
        std::memcpy(&size, waiting_.get(), sizeof(size));
        if (put({waiting_.get() + sizeof(size), size}, gone_) != outcome::sent) return;
        gone_ = 0;
        used_ -= sizeof(size) + size;
        std::memmove(waiting_.get(), waiting_.get() + sizeof(size) + size, used_);
    }
}

bool message_socket::keep(std::string_view message, std::size_t taken) noexcept {
    const auto size = static_cast<size_mark>(message.size());
    if (unsent_ == unsent::waits && !waiting_) waiting_.reset(new (std::nothrow) char[most_waiting]);
    if (!waiting_ || sizeof(size) + size > most_waiting - used_) {
        why_ = waiting_ || unsent_ == unsent::is_lost ? EAGAIN : ENOMEM;
        // What has begun cannot be ended on this connection.
        if (taken > 0) fd_.reset();
        errno = why_;
        return false;
    }
    if (used_ == 0) gone_ = taken;
    std::memcpy(waiting_.get() + used_, &size, sizeof(size));
    std::memcpy(waiting_.get() + used_ + sizeof(size), message.data(), message.size());
    used_ += sizeof(size) + size;
    return true;
}

}  // namespace unicoro::log
