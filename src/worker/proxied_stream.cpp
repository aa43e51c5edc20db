// SPDX-License-Identifier: MIT
#include "worker/proxied_stream.hpp"

#include "log/log.hpp"
#include "os/socket_address.hpp"
#include "worker/at_once.hpp"

#include <boost/asio/error.hpp>

#include <sys/socket.h>

#include <array>
#include <cstddef>

namespace unicoro::worker {
namespace {

using waited = std::tuple<error_code>;

}  // namespace

void proxied_stream::describe(app::connection_info& about) const {
    beneath_->describe(about);
    if (!announced_ || (about.stream && about.stream->proxied)) return;
    auto facts = std::make_unique<app::stream_facts>();
    if (about.stream) facts->tls = about.stream->tls;
    facts->socket_peer = app::endpoint{about.remote_address, about.remote_port};
    facts->proxied = *announced_;
    about.stream = std::move(facts);
    // Of a unix socket a path says nothing of a client, here as on a socket of our own.
    const bool internet = announced_->kind != http::proxied_connection::family::unix_socket;
    about.remote_address = internet ? announced_->source : std::string();
    about.remote_port = announced_->source_port;
}

io_step proxied_stream::try_read(std::span<char> into) noexcept {
    if (!met_) return {io_status::would_block};
    if (unread_.empty()) return beneath_->try_read(into);
    const std::size_t count = unread_.copy(into.data(), into.size());
    unread_.erase(0, count);
    // An idle connection keeps no buffer.
    if (unread_.empty()) std::string().swap(unread_);
    return {io_status::done, count};
}

awaitable<waited> proxied_stream::wait_readable() {
    return unread_.empty() ? beneath_->wait_readable() : at_once();
}

awaitable<waited> proxied_stream::wait_idle() {
    if (!met_) return meet();
    return unread_.empty() ? beneath_->wait_idle() : at_once();
}

void proxied_stream::shutdown_read() noexcept {
    unread_.clear();
    beneath_->shutdown_read();
}

// Whatever ends this ends the connection.
awaitable<waited> proxied_stream::meet() {
    while (!met_) {
        const waited came = co_await beneath_->wait_readable();
        if (std::get<0>(came)) co_return came;
        if (read_more()) continue;
        const waited ended{asio::error::eof};
        co_return ended;
    }
    const waited met{};
    co_return met;
}

// False when nothing more will come, or what came is wrong.
bool proxied_stream::read_more() {
    std::array<char, 1024> piece;
    const io_step step = beneath_->try_read(piece);
    if (step.status == io_status::would_block) return true;
    if (step.status != io_status::done) return false;
    unread_.append(piece.data(), step.bytes);
    auto said = std::make_unique<http::proxied_connection>();
    const http::proxy_step header = http::read_proxy_header(unread_, which_, *said);
    switch (header.what) {
        case http::proxy_step::status::need_more: return true;
        case http::proxy_step::status::refused:
            log::info("Refused a connection whose PROXY header is wrong: {}", header.why);
            return false;
        case http::proxy_step::status::absent: break;
        case http::proxy_step::status::complete:
            unread_.erase(0, header.consumed);
            if (said->kind != http::proxied_connection::family::none) announced_ = std::move(said);
            break;
    }
    met_ = true;
    return true;
}

std::unique_ptr<byte_stream> proxied_streams::make(int family, int fd) {
    if (family != AF_UNIX && !balancers_.everyone()) {
        const auto peer = os::peer_address(fd);
        const auto address = peer ? base::ip_address::parse(peer->host()) : std::nullopt;
        if (!address || !balancers_.contains(*address)) return beneath_.make(family, fd);
    }
    auto stream = std::make_unique<proxied_stream>(which_);
    stream->put_on(beneath_.make(family, fd));
    return stream;
}

}  // namespace unicoro::worker
