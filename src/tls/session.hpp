// SPDX-License-Identifier: MIT
#pragma once

#include "tls/agreement.hpp"
#include "tls/context.hpp"
#include "tls/handles.hpp"

#include <unicoro/result.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace unicoro::tls {

/// What carries the encrypted bytes. Never blocks.
class transport {
  public:
    enum class status : std::uint8_t { done, would_block, end, failed };
    struct step {
        status what;
        std::size_t bytes = 0;
        error_code why = {};
    };

    virtual step receive(std::span<char> into) noexcept = 0;
    virtual step send(std::span<const char> bytes) noexcept = 0;

  protected:
    ~transport() = default;
};

/// The server's side of one encrypted connection (RFC 8446, RFC 5246). Owned by its stream; `over` lives
/// as long.
class session {
  public:
    enum class status : std::uint8_t {
        done,
        want_read,   ///< the transport has nothing to read
        want_write,  ///< the transport takes nothing
        end,
        clear_text,  ///< of a handshake: the client speaks HTTP without TLS
        failed,
    };
    struct step {
        status what;
        std::size_t bytes = 0;
        error_code why = {};  ///< of the transport, with `failed`
    };

    /// Throws std::bad_alloc.
    session(std::shared_ptr<const context> with, transport& over);
    session(const session&) = delete;
    session& operator=(const session&) = delete;

    /// To be called until it is `done`.
    step handshake() noexcept;
    /// Why the handshake failed, for the log.
    [[nodiscard]] const std::string& reason() const noexcept { return reason_; }
    /// After the handshake.
    [[nodiscard]] agreement agreed() const;

    step read(std::span<char> into) noexcept;
    /// After `want_write` the same bytes, or more, come again; where they lie does not matter.
    step write(std::span<const char> bytes) noexcept;

    /// Bytes have come that are not read, if not for sure whole ones.
    [[nodiscard]] bool holds_input() const noexcept {
        return !exhausted_ && SSL_has_pending(session_.get()) == 1;
    }

    /// Tells the client that no more comes (close_notify). False when the transport takes nothing now: again.
    bool end_output() noexcept;

    // --- for OpenSSL's callbacks

    [[nodiscard]] int receive(std::span<char> into, BIO* of) noexcept;
    [[nodiscard]] int send(std::span<const char> bytes, BIO* of) noexcept;
    /// One that has come behind the first handshake: a change of keys, or the wish for another handshake.
    void count_message() noexcept;

  private:
    step step_of(int returned) noexcept;
    step fail(std::string why) noexcept;
    void watch_messages() noexcept;
    [[nodiscard]] bool client_has_expired() const noexcept;

    std::shared_ptr<const context> with_;
    transport& over_;
    session_handle session_;
    std::string reason_;
    error_code transport_failed_;
    unsigned idle_messages_ = 0;  // since the last byte of the application's
    bool transport_ended_ = false;
    bool exhausted_ = true;  // the last read has left nothing that is whole
    bool failed_ = false;    // nothing may be done with it any more
};

}  // namespace unicoro::tls
