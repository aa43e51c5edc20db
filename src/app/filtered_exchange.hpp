// SPDX-License-Identifier: MIT
#pragma once

#include "app/compression_choice.hpp"
#include "app/exchange.hpp"
#include "app/output_filters.hpp"
#include "compress/encoder.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace unicoro::app {

/// A request as its application sees it where its response goes through filters: all but the response is the
/// real exchange's own. What to do is settled by the head, when the first byte of the body comes or the end.
/// Owned by the life of the request, until nothing that was started for it is left; owns the compressor of
/// its response. Like the exchange: worker only, one write at a time.
class filtered_exchange final : public exchange {
  public:
    /// Both outlive it.
    filtered_exchange(exchange& real, const output_filters& filters);
    ~filtered_exchange() override;

    /// After `host::handle`: sends what was put off until the application was done. Fails as `host::handle`
    /// does.
    awaitable<void> deliver();

    // --- the request: the real one's

    const http::request_head& head() const noexcept override { return real_.head(); }
    connection_info& connection() noexcept override { return real_.connection(); }
    aio::task_group& nursery() noexcept override { return real_.nursery(); }
    bool try_enter() override { return real_.try_enter(); }
    awaitable<bool> enter() override { return real_.enter(); }
    void leave() noexcept override { real_.leave(); }
    std::optional<std::chrono::nanoseconds> waited() noexcept override { return real_.waited(); }
    bool measures_cpu() const noexcept override { return real_.measures_cpu(); }
    void add_cpu_time(std::chrono::nanoseconds used) noexcept override { real_.add_cpu_time(used); }
    awaitable<result<std::size_t>> read_body(std::span<char> into) override { return real_.read_body(into); }
    std::optional<result<std::size_t>> try_read_body(std::span<char> into) override {
        return real_.try_read_body(into);
    }
    awaitable<void> wait_disconnect() override { return real_.wait_disconnect(); }
    void hint(const http::response_head& hints) override { real_.hint(hints); }
    bool disconnected() const noexcept override { return real_.disconnected(); }
    std::span<const std::string> logged_environ() const noexcept override { return real_.logged_environ(); }
    void log_environ(std::string name, std::string value) override {
        real_.log_environ(std::move(name), std::move(value));
    }
    awaitable<result<std::shared_ptr<websocket>>> accept_websocket(std::string subprotocol) override {
        return real_.accept_websocket(std::move(subprotocol));
    }
    std::shared_ptr<connection_offer> offer_connection(loop_meanwhile loop) override {
        return real_.offer_connection(loop);
    }
    void runs_as(running_request* running) noexcept override { real_.runs_as(running); }

    // --- the response

    http::response_head& response() noexcept override { return real_.response(); }
    bool head_sent() const noexcept override { return real_.head_sent(); }
    void respond(std::string body) override;
    awaitable<error_code> send(std::string_view body) override;
    awaitable<error_code> write(std::string_view piece) override;
    std::optional<error_code> try_write(std::string_view piece) override;
    awaitable<error_code> write_rest() override;
    error_code write_in_line(std::string_view piece, bool (*give_up)()) override;
    awaitable<error_code> write_file(int fd, std::uint64_t offset, std::uint64_t count) override;
    awaitable<error_code> finish() override;
    void fail(int status, std::string_view detail) override;

  private:
    enum class mode : std::uint8_t {
        unsettled,
        passed_on,   ///< as it is
        bodiless,    ///< to HEAD: as if it were compressed, but there is nothing to compress
        redirected,  ///< to a file; what the application gives is dropped
        compressed,
    };

    struct announced {
        std::optional<std::uint64_t> length;  // of Content-Length
        std::uint64_t given = 0;
        bool overran = false;
    };

    /// `size` is that of the whole body; none: it comes in pieces.
    void settle(std::optional<std::uint64_t> size);
    void settle_file();
    [[nodiscard]] bool settle_redirect();
    void settle_compression(std::optional<std::uint64_t> size);
    /// True when there is a compressor.
    [[nodiscard]] bool begin_compression(compress::coding coding, std::optional<std::uint64_t> size);

    /// What of a piece is within Content-Length.
    [[nodiscard]] std::string_view admitted(std::string_view piece);
    [[nodiscard]] bool is_short() const noexcept;
    /// What comes of a piece is in out_. False: the response is cut.
    [[nodiscard]] bool compress_piece(std::string_view piece, compress::flush how);
    [[nodiscard]] awaitable<error_code> compress_and_write(std::string_view piece);
    [[nodiscard]] awaitable<error_code> compress_whole(std::string_view body);
    [[nodiscard]] awaitable<error_code> compress_file(int fd, std::uint64_t offset, std::uint64_t count);
    [[nodiscard]] error_code cut();
    void tell(std::string_view what) const;

    exchange& real_;
    const output_filters& filters_;
    mode mode_ = mode::unsettled;
    std::optional<file_redirect> redirect_;
    std::unique_ptr<compress::encoder> encoder_;
    announced announced_;
    std::string whole_;      // given by respond(), to be compressed and sent by deliver()
    std::string out_;        // compressed; the real exchange may still be sending it
    std::string_view rest_;  // of try_write, not compressed yet
};

}  // namespace unicoro::app
