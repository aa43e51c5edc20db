// SPDX-License-Identifier: MIT
#pragma once

#include "http/http2_request.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace unicoro::http2 {

/// One request's stream as its session knows it: what has come and was not taken, what was given and did not
/// go out. Made and owned by the session's user, who keeps it until the session has closed it or was told to
/// forget it. Changed by the session, which tells by `notice` of all but `give` and `take`.
class stream {
  public:
    stream(std::int32_t id, const http::policy& rules, std::size_t list_limit)
        : request_(rules, list_limit), id_(id) {}
    stream(const stream&) = delete;
    stream& operator=(const stream&) = delete;
    virtual ~stream() = default;

    [[nodiscard]] std::int32_t id() const noexcept { return id_; }
    [[nodiscard]] const http::http2_request& request() const noexcept { return request_; }
    /// The head broke a rule and wants to be answered so.
    [[nodiscard]] bool refused() const noexcept { return refused_; }

    // --- its body
    [[nodiscard]] std::size_t input_size() const noexcept { return input_.size() - taken_; }
    /// The client sends no more, and what it has sent was whole.
    [[nodiscard]] bool input_ended() const noexcept { return input_ended_; }
    /// Bytes that have come so far.
    [[nodiscard]] std::uint64_t received() const noexcept { return received_; }

    // --- the response
    /// What was given is on its way; the last of it too, once the output has ended.
    [[nodiscard]] bool output_taken() const noexcept { return output_.empty(); }
    [[nodiscard]] bool output_sent() const noexcept { return output_sent_; }

    /// The session knows it no more: by an error, or because both sides have ended.
    [[nodiscard]] bool closed() const noexcept { return closed_.has_value(); }
    /// RFC 9113, 7; of one that is closed.
    [[nodiscard]] std::uint32_t error() const noexcept { return closed_.value_or(0); }

  protected:
    /// Something has changed. Within a call of the session: it must not be called from here.
    virtual void notice() noexcept = 0;
    /// So many bytes of the body have been given out, likewise.
    virtual void sent(std::size_t bytes) noexcept = 0;

  private:
    friend class session;
    friend struct callbacks;

    http::http2_request request_;
    std::int32_t id_;
    std::string input_;
    std::size_t taken_ = 0;  // of input_
    std::uint64_t received_ = 0;
    std::string_view output_;
    std::size_t trailer_size_ = 0;
    std::optional<std::uint32_t> closed_;
    bool refused_ = false;
    bool head_whole_ = false;
    bool input_ended_ = false;
    bool output_ended_ = false;
    bool output_sent_ = false;
};

}  // namespace unicoro::http2
