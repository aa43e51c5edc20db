// SPDX-License-Identifier: MIT
#pragma once

#include "master/encryption.hpp"
#include "scoreboard/counters.hpp"
#include "tls/session.hpp"
#include "worker/handshake_places.hpp"
#include "worker/stream_factory.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace unicoro::worker {

/// A stream that is encrypted on the one beneath, which it owns. The first idle wait makes the handshake,
/// under the limit of the wait for a first request.
class tls_stream final : public byte_stream, private tls::transport {
  public:
    /// `gathered` is room for a record that several streams share, one call at a time; it and `places`
    /// outlive them.
    tls_stream(
        asio::io_context& io,
        std::shared_ptr<const tls::context> with,
        handshake_places& places,
        std::vector<char>& gathered,
        const scoreboard::counting& counts
    );
    ~tls_stream() override;

    /// Before anything else.
    void put_on(std::unique_ptr<byte_stream> beneath) noexcept { beneath_ = std::move(beneath); }

    void describe(app::connection_info& about) const override;

    io_step try_read(std::span<char> into) noexcept override;
    io_step try_write(std::span<const iovec> pieces) noexcept override;
    io_step try_send_file(int fd, std::uint64_t& offset, std::size_t count) noexcept override;
    awaitable<std::tuple<error_code>> wait_readable() override;
    awaitable<std::tuple<error_code>> wait_writable() override { return beneath_->wait_writable(); }
    awaitable<std::tuple<error_code>> wait_idle() override;
    bool readable_now() noexcept override;
    std::chrono::nanoseconds since_received() const noexcept override { return beneath_->since_received(); }
    bool block_writable(std::chrono::milliseconds most) noexcept override {
        return beneath_->block_writable(most);
    }
    bool block_readable(std::chrono::milliseconds most) noexcept override {
        return readable_now() || beneath_->block_readable(most);
    }
    void cancel() noexcept override;
    void shutdown_write() noexcept override;
    void shutdown_read() noexcept override { beneath_->shutdown_read(); }
    bool transparent() const noexcept override { return false; }
    os::unique_fd duplicate() noexcept override { return {}; }
    void reset_on_close() noexcept override;
    void close() noexcept override;

  private:
    step receive(std::span<char> into) noexcept override;
    step send(std::span<const char> bytes) noexcept override;

    awaitable<std::tuple<error_code>> meet();
    void refuse_handshake(const tls::session::step& why) noexcept;
    [[nodiscard]] bool end_output() noexcept;
    io_step write_record(std::span<const char> bytes) noexcept;
    io_step encrypt(std::span<const char> bytes) noexcept;

    std::unique_ptr<byte_stream> beneath_;
    tls::session session_;
    handshake_place place_;
    std::vector<char>& gathered_;
    const scoreboard::counting& counts_;
    std::string committed_;  // lies encrypted in the session, as the client takes nothing
    bool met_ = false;
    bool reads_by_writing_ = false;  // the session has to send before it can read on
    bool output_ended_ = false;
};

/// Makes them, each with the certificates in force when it is made.
class tls_streams final : public stream_factory {
  public:
    tls_streams(
        asio::io_context& io,
        stream_factory& beneath,
        std::shared_ptr<const tls::context> with,
        std::size_t most_handshakes,
        scoreboard::counting counts
    );

    /// From now on with those in the file that the master has handed over.
    void renew(int file) { master::renew_certificates(with_, file); }

    std::unique_ptr<byte_stream> make(int family, int fd) override;

  private:
    asio::io_context& io_;
    stream_factory& beneath_;
    std::shared_ptr<const tls::context> with_;
    handshake_places places_;
    std::vector<char> gathered_;
    scoreboard::counting counts_;
};

}  // namespace unicoro::worker
