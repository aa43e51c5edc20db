// SPDX-License-Identifier: MIT
#pragma once

#include "base/ip_network.hpp"
#include "http/proxy_header.hpp"
#include "worker/stream_factory.hpp"

#include <memory>
#include <string>
#include <utility>

namespace unicoro::worker {

/// A stream that a load balancer may begin with a header of the PROXY protocol. The first idle wait reads it,
/// under the limit of the wait for a first request; what came behind it is read before the stream beneath,
/// which it owns. Without a header it is that stream.
class proxied_stream final : public byte_stream {
  public:
    explicit proxied_stream(http::proxy_protocol which) noexcept : which_(which) {}

    /// Before anything else.
    void put_on(std::unique_ptr<byte_stream> beneath) noexcept { beneath_ = std::move(beneath); }

    void describe(app::connection_info& about) const override;

    io_step try_read(std::span<char> into) noexcept override;
    io_step try_write(std::span<const iovec> pieces) noexcept override { return beneath_->try_write(pieces); }
    io_step try_send_file(int fd, std::uint64_t& offset, std::size_t count) noexcept override {
        return beneath_->try_send_file(fd, offset, count);
    }
    awaitable<std::tuple<error_code>> wait_readable() override;
    awaitable<std::tuple<error_code>> wait_writable() override { return beneath_->wait_writable(); }
    awaitable<std::tuple<error_code>> wait_idle() override;
    bool readable_now() noexcept override { return (met_ && !unread_.empty()) || beneath_->readable_now(); }
    std::chrono::nanoseconds since_received() const noexcept override { return beneath_->since_received(); }
    bool block_writable(std::chrono::milliseconds most) noexcept override {
        return beneath_->block_writable(most);
    }
    bool block_readable(std::chrono::milliseconds most) noexcept override {
        return readable_now() || beneath_->block_readable(most);
    }
    void cancel() noexcept override { beneath_->cancel(); }
    void shutdown_write() noexcept override { beneath_->shutdown_write(); }
    void shutdown_read() noexcept override;
    os::unique_fd duplicate() noexcept override { return beneath_->duplicate(); }
    void reset_on_close() noexcept override { beneath_->reset_on_close(); }
    void close() noexcept override { beneath_->close(); }

  private:
    awaitable<std::tuple<error_code>> meet();
    bool read_more();

    std::unique_ptr<byte_stream> beneath_;
    http::proxy_protocol which_;
    bool met_ = false;
    std::string unread_;  // while the header comes, all of it; then what came behind
    std::unique_ptr<const http::proxied_connection> announced_;
};

/// Makes them for peers that may announce clients (`proxy_allow_ips`, and those on unix sockets); plain
/// streams for the others, whose header is then a request that is refused.
class proxied_streams final : public stream_factory {
  public:
    /// `beneath` and `balancers` live as long as the worker.
    proxied_streams(
        stream_factory& beneath, const base::trust_list& balancers, http::proxy_protocol which
    ) noexcept
        : beneath_(beneath), balancers_(balancers), which_(which) {}

    std::unique_ptr<byte_stream> make(int family, int fd) override;

  private:
    stream_factory& beneath_;
    const base::trust_list& balancers_;
    http::proxy_protocol which_;
};

}  // namespace unicoro::worker
