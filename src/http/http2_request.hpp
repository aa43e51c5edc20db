// SPDX-License-Identifier: MIT
#pragma once

#include "http/field_rules.hpp"
#include "http/policy.hpp"
#include "http/refusal.hpp"
#include "http/request_head.hpp"
#include "http/trace_context.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace unicoro::http {

/// A request head as HTTP/2 brings it, field by field (RFC 9113, 8.3.1), under the rules of HTTP/1.x. Whoever
/// decodes the fields has checked their grammar, their order and which of them may stand there at all. An
/// extended CONNECT for a WebSocket (RFC 8441, 5) becomes the GET that asks for one in HTTP/1.1.
class http2_request {
  public:
    /// `rules` live longer. `list_limit`: bytes, 32 for each field added (RFC 9113, 6.5.2).
    http2_request(const policy& rules, std::size_t list_limit) noexcept
        : rules_(rules), list_limit_(list_limit) {}

    /// The next field, pseudo-header fields too. Keeps nothing more of a head that is over a limit.
    void add(std::string_view name, std::string_view value);

    /// The head is over its limit by far: it is not worth being read to its end.
    [[nodiscard]] bool is_flood() const noexcept { return list_size_ / 4 > list_limit_; }

    enum class body : bool { none, follows };

    /// The head is whole. False when it is refused. `rules_of_fields` are anybody's, under the same policy.
    bool finish(field_rules& rules_of_fields, peer sender, body comes);

    /// After `finish`, also of one that was refused: then as far as it was understood.
    [[nodiscard]] const request_head& head() const noexcept { return head_; }
    [[nodiscard]] const refusal& refused_because() const noexcept { return why_; }

  private:
    struct place {
        std::size_t name;
        std::size_t value;
        std::size_t end;
    };

    bool check_limits();
    bool check_start(target_parts& target);
    bool check_protocol();
    bool read_fields(field_rules& rules_of_fields);
    bool add_field(field_rules& rules_of_fields, field_kind kind, field each);
    [[nodiscard]] field at(const place& where) const noexcept;
    [[nodiscard]] field authority_field() const noexcept { return {"host", authority_}; }

    const policy& rules_;
    std::size_t list_limit_;
    std::size_t list_size_ = 0;
    std::string text_;
    std::vector<place> places_;
    std::vector<place> crumbs_;  // of Cookie (RFC 9113, 8.2.3)
    std::string method_;
    std::string target_;
    std::string scheme_;
    std::string authority_;
    std::optional<std::string> protocol_;  // of an extended CONNECT
    std::string cookie_;
    std::string client_address_;
    std::vector<field> fields_;
    trace_fields traces_;
    request_head head_;
    refusal why_;
};

}  // namespace unicoro::http
