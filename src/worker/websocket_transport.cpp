// SPDX-License-Identifier: MIT
#include "worker/websocket_transport.hpp"

#include "worker/serving.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

namespace unicoro::worker {
namespace {

error_code error_of(io_status status) noexcept {
    switch (status) {
        case io_status::done: return {};
        case io_status::end: return asio::error::eof;
        case io_status::would_block: return asio::error::would_block;
        case io_status::failed: break;
    }
    return asio::error::connection_reset;
}

struct posted {
    websocket_transport::io_handler done;
    error_code ec;
    std::size_t bytes;

    void operator()() { done->complete(ec, bytes); }
};

}  // namespace

struct websocket_transport::readable {
    std::shared_ptr<websocket_transport> self;
    void operator()(error_code ec) const { self->try_to_read(ec); }
};

struct websocket_transport::writable {
    std::shared_ptr<websocket_transport> self;
    void operator()(error_code ec) const { self->try_to_write(ec); }
};

websocket_transport::websocket_transport(serving& shared, byte_stream& stream, std::string early)
    : shared_(shared),
      stream_(&stream),
      early_(std::move(early)),
      send_limit_(&websocket_transport::send_expired, this) {}

asio::io_context& websocket_transport::io() const noexcept {
    return shared_.io;
}

void websocket_transport::finish_later(io_handler done, error_code ec, std::size_t bytes) {
    asio::post(shared_.io, posted{std::move(done), ec, bytes});
}

void websocket_transport::read(asio::mutable_buffer into, io_handler done) {
    if (stream_ == nullptr) return finish_later(std::move(done), asio::error::operation_aborted, 0);
    if (early_used_ < early_.size()) {
        const std::size_t count = std::min(into.size(), early_.size() - early_used_);
        std::memcpy(into.data(), early_.data() + early_used_, count);
        early_used_ += count;
        if (early_used_ == early_.size()) early_ = std::string();
        received_ += count;
        return finish_later(std::move(done), {}, count);
    }
    if (!drained_) {
        const io_step step = stream_->try_read(std::span<char>(static_cast<char*>(into.data()), into.size()));
        drained_ = step.bytes < into.size();
        if (step.status != io_status::would_block) {
            received_ += step.bytes;
            return finish_later(std::move(done), error_of(step.status), step.bytes);
        }
    }
    into_ = into;
    on_read_ = std::move(done);
    wait_to_read();
}

void websocket_transport::wait_to_read() {
    stream_->when_readable(readable{shared_from_this()});
}

void websocket_transport::try_to_read(error_code ec) {
    io_step step{io_status::failed, 0};
    if (stream_ == nullptr) ec = asio::error::operation_aborted;
    if (!ec) {
        step = stream_->try_read(std::span<char>(static_cast<char*>(into_.data()), into_.size()));
        if (step.status == io_status::would_block) return wait_to_read();
        drained_ = step.bytes < into_.size();
        received_ += step.bytes;
        ec = error_of(step.status);
    }
    io_handler done = std::move(on_read_);
    done->complete(ec, step.bytes);
}

void websocket_transport::write(const pieces& from, std::size_t count, io_handler done) {
    if (stream_ == nullptr) return finish_later(std::move(done), asio::error::operation_aborted, 0);
    if (discarding_) {
        std::size_t bytes = 0;
        for (const iovec& piece : from) bytes += piece.iov_len;
        return finish_later(std::move(done), {}, bytes);
    }
    const io_step step = put(std::span<const iovec>(from.data(), count));
    if (step.status != io_status::would_block) {
        return finish_later(std::move(done), error_of(step.status), step.bytes);
    }
    from_ = from;
    from_count_ = count;
    on_written_ = std::move(done);
    shared_.deadlines.arm(send_limit_, shared_.limits.send);
    wait_to_write();
}

void websocket_transport::wait_to_write() {
    stream_->when_writable(writable{shared_from_this()});
}

void websocket_transport::try_to_write(error_code ec) {
    io_step step{io_status::failed, 0};
    if (stream_ == nullptr) ec = asio::error::operation_aborted;
    if (!ec) {
        step = put(std::span<const iovec>(from_.data(), from_count_));
        if (step.status == io_status::would_block) return wait_to_write();
        ec = error_of(step.status);
    }
    send_limit_.disarm();
    io_handler done = std::move(on_written_);
    done->complete(ec, step.bytes);
}

io_step websocket_transport::put(std::span<const iovec> from) noexcept {
    while (!first_.empty()) {
        const iovec piece{first_.data(), first_.size()};
        const io_step step = stream_->try_write(std::span<const iovec>(&piece, 1));
        if (step.status != io_status::done) return step;
        sent_ += step.bytes;
        first_.erase(0, step.bytes);
    }
    const io_step step = stream_->try_write(from);
    sent_ += step.bytes;
    return step;
}

void websocket_transport::try_write_last(std::string_view frame) noexcept {
    if (stream_ == nullptr || !first_.empty()) return;
    const iovec piece{const_cast<char*>(frame.data()), frame.size()};
    [[maybe_unused]] const io_step step = put(std::span<const iovec>(&piece, 1));
}

void websocket_transport::break_off() noexcept {
    if (stream_ == nullptr) return;
    send_limit_.disarm();
    stream_->cancel();
    stream_ = nullptr;
}

void websocket_transport::send_expired(aio::deadline&, void* self) noexcept {
    auto& late = *static_cast<websocket_transport*>(self);
    late.stalled_ = true;
    late.break_off();
}

}  // namespace unicoro::worker
