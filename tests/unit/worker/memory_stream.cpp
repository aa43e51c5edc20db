// SPDX-License-Identifier: MIT
#include "unit/worker/memory_stream.hpp"

#include <boost/asio/error.hpp>

#include <unistd.h>

#include <algorithm>
#include <utility>

namespace worker_test {

using unicoro::awaitable;
using unicoro::error_code;
using unicoro::worker::io_status;
using unicoro::worker::io_step;

memory_stream::memory_stream(
    boost::asio::io_context& io, std::function<void(unicoro::app::connection_info&)> tell
)
    : tell_(std::move(tell)), readable_(io) {}

void memory_stream::client_sends(std::string_view bytes) {
    incoming_.append(bytes);
    readable_.set();
}

void memory_stream::describe(unicoro::app::connection_info& into) const {
    if (tell_) tell_(into);
}

io_step memory_stream::try_read(std::span<char> into) noexcept {
    if (incoming_.empty()) return {ended_ ? io_status::end : io_status::would_block};
    const std::size_t count = std::min(into.size(), incoming_.size());
    std::copy_n(incoming_.data(), count, into.data());
    incoming_.erase(0, count);
    return {io_status::done, count};
}

io_step memory_stream::try_write(std::span<const iovec> pieces) noexcept {
    const std::size_t before = sent_.size();
    for (const iovec& each : pieces) {
        const std::size_t taken = std::min(each.iov_len, room_);
        sent_.append(static_cast<const char*>(each.iov_base), taken);
        room_ -= taken;
    }
    if (sent_.size() == before && room_ == 0) return {io_status::would_block};
    return {io_status::done, sent_.size() - before};
}

io_step memory_stream::try_send_file(int fd, std::uint64_t& offset, std::size_t count) noexcept {
    std::string piece(count, '\0');
    const ssize_t got = pread(fd, piece.data(), count, static_cast<off_t>(offset));
    if (got <= 0) return {io_status::end};
    sent_.append(piece, 0, static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
    return {io_status::done, static_cast<std::size_t>(got)};
}

awaitable<std::tuple<error_code>> memory_stream::wait_readable() {
    if (!readable_now() && !cancelled_) [[maybe_unused]]
        const auto [ec] = co_await readable_.wait();
    if (std::exchange(cancelled_, false)) co_return error_code(boost::asio::error::operation_aborted);
    co_return error_code{};
}

awaitable<std::tuple<error_code>> memory_stream::wait_writable() {
    co_return error_code{};
}

awaitable<std::tuple<error_code>> memory_stream::wait_idle() {
    return wait_readable();
}

bool memory_stream::readable_now() noexcept {
    return ended_ || !incoming_.empty();
}

void memory_stream::cancel() noexcept {
    cancelled_ = true;
    readable_.set();
}

void memory_stream::close() noexcept {
    ended_ = true;
    readable_.set();
}

}  // namespace worker_test
