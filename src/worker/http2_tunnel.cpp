// SPDX-License-Identifier: MIT
#include "worker/http2_tunnel.hpp"

#include "log/log.hpp"
#include "worker/http2_connection.hpp"
#include "worker/http2_stream.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>
#include <exception>

namespace unicoro::worker {
namespace {

// What one that the client does not read keeps.
constexpr std::size_t most_unsent = std::size_t{32} * 1024;

io_step failed(error_code why) noexcept {
    return {io_status::failed, 0, why};
}

}  // namespace

http2_tunnel::http2_tunnel(asio::io_context& io, http2_connection& through, http2_stream& of)
    : through_(through), stream_(of), to_read_(io), to_write_(io) {}

void http2_tunnel::notice() noexcept {
    if (stream_.output_taken()) unsent_ = std::string();
    to_read_.set();
    to_write_.set();
}

void http2_tunnel::cancel() noexcept {
    to_read_.set();
    to_write_.set();
}

io_step http2_tunnel::try_read(std::span<char> into) noexcept {
    try {
        const std::size_t taken = through_.session().take(stream_, into);
        if (taken > 0) {
            through_.kick();
            return {io_status::done, taken};
        }
    } catch (const std::exception& failure) {
        log::error("{}: {}", stream_.name(), failure.what());
        return failed(asio::error::no_memory);
    }
    if (stream_.input_ended()) return {io_status::end};
    if (stream_.closed()) return failed(asio::error::connection_reset);
    return {io_status::would_block};
}

void http2_tunnel::give(std::span<const iovec> pieces) {
    unsent_.clear();
    for (const iovec& each : pieces) {
        const std::size_t count = std::min(each.iov_len, most_unsent - unsent_.size());
        unsent_.append(static_cast<const char*>(each.iov_base), count);
    }
    through_.session().give(stream_, unsent_);
}

io_step http2_tunnel::try_write(std::span<const iovec> pieces) noexcept {
    if (stream_.closed()) return failed(asio::error::connection_reset);
    if (!stream_.output_taken()) return {io_status::would_block};
    try {
        give(pieces);
        const std::size_t given = unsent_.size();
        if (!through_.flush()) through_.kick();
        return {io_status::done, given};
    } catch (const std::exception& failure) {
        log::error("{}: {}", stream_.name(), failure.what());
        return failed(asio::error::no_memory);
    }
}

}  // namespace unicoro::worker
