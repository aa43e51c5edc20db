// SPDX-License-Identifier: MIT
#pragma once

#include "http/request_head.hpp"

#include <unicoro/result.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace unicoro::http {

/// A response head under construction, whatever will carry it: status and fields. Every name and value
/// is checked when added, so nothing an application says can split a response (RFC 9110, 5.5).
/// The connection owns framing and hop-by-hop fields: Connection is read for "close", and Server,
/// Date, Transfer-Encoding, Keep-Alive, Trailer and Proxy-* are dropped.
class response_head {
  public:
    /// Back to 200 without fields. Keeps its memory.
    void reset() noexcept;

    /// `reason` empty takes the standard phrase. Fails with errc::invalid_status.
    [[nodiscard]] error_code set_status(int code, std::string_view reason = {});
    /// Fails with errc::invalid_header and leaves the head unchanged.
    [[nodiscard]] error_code add(std::string_view name, std::string_view value);

    /// Takes all fields of that name out again; Content-Length has `drop_length`.
    void erase(std::string_view name) noexcept;
    void drop_length() noexcept;

    /// The first field of that name, compared without case; good until the next `add`.
    [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const noexcept;

    [[nodiscard]] int status() const noexcept { return status_; }
    /// Empty where it is the standard phrase.
    [[nodiscard]] std::string_view reason() const noexcept { return reason_; }
    [[nodiscard]] std::optional<std::uint64_t> content_length() const noexcept { return length_; }
    [[nodiscard]] bool close_requested() const noexcept { return close_; }

    /// The fields kept, in the order of `add`, Content-Length aside; views into this object.
    [[nodiscard]] std::size_t field_count() const noexcept { return fields_.size(); }
    [[nodiscard]] field field_at(std::size_t index) const noexcept {
        const place& at = fields_[index];
        const std::string_view text = text_;
        return {text.substr(at.begin, at.name_size), text.substr(at.begin + at.name_size, at.value_size)};
    }
    /// Bytes of all names and values together, or more.
    [[nodiscard]] std::size_t text_size() const noexcept { return text_.size(); }

    /// All of them with Content-Length, for the access log. Appends to `out`.
    void list_fields(std::vector<field>& out) const;

  private:
    /// Where a field stands in text_: its value follows its name.
    struct place {
        std::uint32_t begin;
        std::uint32_t name_size;
        std::uint32_t value_size;
    };

    error_code set_length(std::string_view digits);

    int status_ = 200;
    bool close_ = false;
    std::optional<std::uint64_t> length_;
    std::string length_text_;  // of length_, for list_fields
    std::string reason_;       // empty = the standard phrase
    std::string text_;
    std::vector<place> fields_;
};

/// The standard reason phrase, or "Unknown".
[[nodiscard]] std::string_view reason_phrase(int status) noexcept;

/// Whether a response of that status has a body: not 1xx, 204 and 304 (RFC 9112, 6.3).
[[nodiscard]] bool body_allowed(int status) noexcept;

/// gunicorn's small HTML error page; `detail` is escaped here.
[[nodiscard]] std::string error_page(int status, std::string_view detail);

}  // namespace unicoro::http
