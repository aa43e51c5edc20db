// SPDX-License-Identifier: MIT
#pragma once

#include "http/policy.hpp"
#include "http/refusal.hpp"
#include "http/request_head.hpp"
#include "http/request_target.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace unicoro::http {

/// The fields that have rules of their own.
enum class field_kind : std::uint8_t {
    other,
    host,
    connection,
    content_length,
    content_type,
    transfer_encoding,
    expect,
    upgrade,
};

/// The acceptance rules for the fields of one request: which may repeat, what they may say, which
/// are kept, and what framing, scheme and persistence follow from them. Names and values are known
/// to be well-formed already. Keeps views into them until `begin` is called again.
class field_rules {
  public:
    explicit field_rules(const policy& rules);

    /// Ready for the fields of the next request.
    void begin(version v, peer sender);

    enum class verdict { keep, drop, refused };

    /// Judges one field, in the order of arrival.
    verdict add(field_kind kind, std::string_view name, std::string_view value, refusal& why);

    /// Judges them together and fills in what `head` owes to them. `head` has its path and the kept
    /// fields already.
    bool finish(const target_parts& target, request_head& head, refusal& why);

  private:
    struct scheme_header {
        std::string name;
        std::string https_value;
    };

    verdict add_other(std::string_view name, std::string_view value, refusal& why);
    bool add_known(field_kind kind, std::string_view value, refusal& why);
    bool note_scheme(const scheme_header& header, std::string_view value, refusal& why);
    [[nodiscard]] const scheme_header* find_scheme_header(std::string_view name) const noexcept;
    verdict add_underscored(std::string_view name, std::string_view value, refusal& why);
    [[nodiscard]] bool forwarder_may_send(std::string_view name) const noexcept;
    bool add_content_length(std::string_view value, refusal& why);
    bool add_transfer_encoding(std::string_view value, refusal& why);
    void add_connection(std::string_view value) noexcept;
    void add_upgrade(std::string_view value) noexcept;
    bool set_framing(request_head& head, refusal& why) const;
    [[nodiscard]] bool misdirected(std::string_view authority) const noexcept;
    bool set_client(request_head& head, refusal& why);
    bool set_forwarded_host(request_head& head, refusal& why) const;

    const policy& rules_;
    std::vector<scheme_header> scheme_headers_;
    std::string client_address_;  // of `head.client`

    // Of the current request, cleared as a whole by `begin`.
    struct seen {
        version v = version::http_1_1;
        peer_trust trust = peer_trust::untrusted;
        std::string_view server_name;
        bool secure = false;
        const base::trust_list* hops = nullptr;
        std::optional<std::string_view> host;
        std::optional<std::string_view> script_name;
        std::optional<std::uint64_t> length;
        std::string_view scheme;  // empty until a trusted peer tells
        std::string_view last_coding;
        std::string_view unknown_coding;  // the first one
        std::uint32_t codings = 0;
        std::uint32_t chunked = 0;
        bool transfer_encoding = false;
        bool content_type = false;
        bool close = false;
        bool keep_alive = false;
        bool expects_continue = false;
        bool upgrade = false;      // Connection names it
        bool websocket = false;    // Upgrade does
        bool underscores = false;  // a kept name has one
    };
    seen now_;
};

}  // namespace unicoro::http
