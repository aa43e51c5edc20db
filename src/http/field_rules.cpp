// SPDX-License-Identifier: MIT
#include "http/field_rules.hpp"

#include "base/text.hpp"
#include "http/chars.hpp"
#include "http/forwarding.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace unicoro::http {
namespace {

// The codings of the IANA registry beside chunked: known by name, though not decoded here.
bool registered_coding(std::string_view name) noexcept {
    static constexpr std::array<std::string_view, 6> names = {
        "gzip", "x-gzip", "deflate", "compress", "x-compress", "identity"
    };
    return std::any_of(names.begin(), names.end(), [name](std::string_view n) { return iequals(n, name); });
}

// True when the names differ in '_' and '-' alone: a gateway would map them to one variable.
bool same_variable(std::string_view a, std::string_view b) noexcept {
    if (a.size() != b.size()) return false;
    bool spelled_alike = true;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (to_lower(a[i]) == to_lower(b[i])) continue;
        spelled_alike = false;
        if (!((a[i] == '_' && b[i] == '-') || (a[i] == '-' && b[i] == '_'))) return false;
    }
    return !spelled_alike;
}

bool ambiguous(std::span<const field> fields, refusal& why) {
    for (const field& f : fields) {
        if (f.name.find('_') == std::string_view::npos) continue;
        for (const field& other : fields) {
            if (!same_variable(f.name, other.name)) continue;
            refuse(why, 400, "Ambiguous header: the same name is given with '_' and with '-'", f.name);
            return true;
        }
    }
    return false;
}

}  // namespace

field_rules::field_rules(const policy& rules) : rules_(rules) {
    for (const auto& [name, value] : rules.secure_scheme_headers) scheme_headers_.push_back({name, value});
}

void field_rules::begin(version v, peer sender) {
    now_ = {};
    now_.v = v;
    now_.trust = sender.trust;
    now_.secure = sender.secure;
    now_.server_name = sender.server_name;
    now_.hops = sender.hops;
}

bool field_rules::forwarder_may_send(std::string_view name) const noexcept {
    if (now_.trust != peer_trust::trusted) return false;
    const auto listed = [name](const std::string& n) { return n == "*" || iequals(n, name); };
    return std::any_of(rules_.forwarder_headers.begin(), rules_.forwarder_headers.end(), listed);
}

field_rules::verdict field_rules::add_underscored(
    std::string_view name, std::string_view value, refusal& why
) {
    const bool forwarded = forwarder_may_send(name);
    if (!forwarded && rules_.header_map == underscore_fields::drop) return verdict::drop;
    if (!forwarded && rules_.header_map == underscore_fields::refuse) {
        refuse(why, 400, "Invalid header name: '_' is refused (header_map is \"refuse\")", name);
        return verdict::refused;
    }
    now_.underscores = true;
    if (forwarded && iequals(name, "SCRIPT_NAME")) {
        if (now_.script_name) {
            refuse(why, 400, "Invalid header: SCRIPT_NAME is given twice", value);
            return verdict::refused;
        }
        now_.script_name = value;
    }
    return verdict::keep;
}

const field_rules::scheme_header* field_rules::find_scheme_header(std::string_view name) const noexcept {
    for (const scheme_header& header : scheme_headers_) {
        if (iequals(header.name, name)) return &header;
    }
    return nullptr;
}

bool field_rules::note_scheme(const scheme_header& header, std::string_view value, refusal& why) {
    const std::string_view scheme = iequals(header.https_value, value) ? "https" : "http";
    if (!now_.scheme.empty() && now_.scheme != scheme) {
        return refuse(why, 400, "Contradictory scheme headers (secure_scheme_headers)", header.name);
    }
    now_.scheme = scheme;
    return true;
}

field_rules::verdict field_rules::add_other(std::string_view name, std::string_view value, refusal& why) {
    const bool underscored = name.find('_') != std::string_view::npos;
    if (now_.trust == peer_trust::trusted) {
        const scheme_header* header = find_scheme_header(name);
        if (header != nullptr) {
            now_.underscores |= underscored;
            return note_scheme(*header, value, why) ? verdict::keep : verdict::refused;
        }
    }
    return underscored ? add_underscored(name, value, why) : verdict::keep;
}

field_rules::verdict field_rules::add(
    field_kind kind, std::string_view name, std::string_view value, refusal& why
) {
    if (kind == field_kind::other) return add_other(name, value, why);
    return add_known(kind, value, why) ? verdict::keep : verdict::refused;
}

bool field_rules::add_known(field_kind kind, std::string_view value, refusal& why) {
    switch (kind) {
        case field_kind::host:
            if (now_.host) return refuse(why, 400, "Invalid header: Host is given twice (RFC 9112, 3.2)");
            now_.host = value;
            // The empty value is what a client sends that has no authority, health checks among
            // them.
            if (!valid_host(value)) return refuse(why, 400, "Invalid Host header (RFC 9112, 3.2)", value);
            return true;
        case field_kind::connection: add_connection(value); return true;
        case field_kind::content_length: return add_content_length(value, why);
        case field_kind::content_type:
            if (now_.content_type) {
                return refuse(why, 400, "Invalid header: Content-Type is given twice (RFC 9110, 8.3)");
            }
            now_.content_type = true;
            return true;
        case field_kind::transfer_encoding: return add_transfer_encoding(value, why);
        case field_kind::expect:
            if (!iequals(value, "100-continue")) {
                return refuse(
                    why, 417, "Only the expectation 100-continue can be met (RFC 9110, 10.1.1)", value
                );
            }
            now_.expects_continue = true;
            return true;
        case field_kind::upgrade: add_upgrade(value); return true;
        case field_kind::other: break;
    }
    return true;
}

bool field_rules::add_content_length(std::string_view value, refusal& why) {
    if (now_.length) {
        return refuse(why, 400, "Invalid header: Content-Length is given twice (RFC 9112, 6.3)");
    }
    now_.length = base::parse_integer<std::uint64_t>(value);
    if (!now_.length) {
        return refuse(why, 400, "Invalid Content-Length: not a number of bytes (RFC 9110, 8.6)", value);
    }
    return true;
}

bool field_rules::add_transfer_encoding(std::string_view value, refusal& why) {
    now_.transfer_encoding = true;
    std::string_view list = value;
    do {
        const std::string_view coding = next_element(list);
        if (coding.empty()) {
            return refuse(why, 400, "Invalid Transfer-Encoding: an element is empty (RFC 9112, 6.1)", value);
        }
        ++now_.codings;
        now_.last_coding = coding;
        if (iequals(coding, "chunked")) {
            ++now_.chunked;
        } else if (!registered_coding(coding) && now_.unknown_coding.empty()) {
            now_.unknown_coding = coding;
        }
    } while (!list.empty());
    return true;
}

void field_rules::add_connection(std::string_view value) noexcept {
    while (!value.empty()) {
        const std::string_view option = next_element(value);
        now_.close |= iequals(option, "close");
        now_.keep_alive |= iequals(option, "keep-alive");
        now_.upgrade |= iequals(option, "upgrade");
    }
}

void field_rules::add_upgrade(std::string_view value) noexcept {
    while (!value.empty()) now_.websocket |= iequals(next_element(value), "websocket");
}

bool field_rules::set_framing(request_head& head, refusal& why) const {
    if (now_.transfer_encoding) {
        if (now_.v == version::http_1_0) {
            return refuse(why, 400, "Transfer-Encoding in an HTTP/1.0 request (RFC 9112, 6.1)");
        }
        if (now_.length) {
            return refuse(why, 400, "Content-Length beside Transfer-Encoding (RFC 9112, 6.3)");
        }
        const bool chunked_last = iequals(now_.last_coding, "chunked");
        if (now_.chunked > 1 || (now_.chunked == 1 && !chunked_last)) {
            return refuse(
                why, 400, "chunked is not the last transfer coding, once (RFC 9112, 6.1)", now_.last_coding
            );
        }
        if (!now_.unknown_coding.empty()) {
            return refuse(why, 501, "Unknown transfer coding (RFC 9112, 6.1)", now_.unknown_coding);
        }
        if (!chunked_last) {
            return refuse(
                why, 400, "chunked is not the last transfer coding (RFC 9112, 6.3)", now_.last_coding
            );
        }
        if (now_.codings > 1) {
            return refuse(why, 501, "No transfer coding but chunked is supported (RFC 9112, 6.1)");
        }
        head.framing = body_framing::chunked;
        return true;
    }
    if (now_.length) {
        if (rules_.limit_request_body != 0 && *now_.length > rules_.limit_request_body) {
            return refuse_over(
                why, 413, "The request body is too large", "limit_request_body", rules_.limit_request_body
            );
        }
        head.framing = body_framing::length;
        head.content_length = *now_.length;
    }
    return true;
}

// A proxy that is trusted may encrypt for one host and pass on requests for others.
bool field_rules::misdirected(std::string_view authority) const noexcept {
    if (now_.server_name.empty() || authority.empty() || now_.trust == peer_trust::trusted) return false;
    std::string_view asked = authority.substr(0, authority.rfind(':'));
    std::string_view met = now_.server_name;
    // An absolute name is the same with its dot and without (RFC 6066, 3).
    for (std::string_view* each : {&asked, &met}) {
        if (each->ends_with('.')) each->remove_suffix(1);
    }
    return !iequals(asked, met);
}

bool field_rules::set_client(request_head& head, refusal& why) {
    using word = forwarded_client::verdict;
    if (rules_.forwarded_client == client_field::off) return true;
    const forwarded_client plain = client_by_x_forwarded_for(head.fields, *now_.hops);
    const forwarded_client standard = client_by_forwarded(head.fields, *now_.hops);
    if (plain.what == word::malformed) {
        return refuse(why, 400, "Invalid X-Forwarded-For: a trusted proxy names no address");
    }
    if (standard.what == word::malformed) {
        return refuse(why, 400, "Invalid Forwarded header (RFC 7239, 4)");
    }
    const bool both = plain.what == word::told && standard.what == word::told;
    if (both && *plain.node.address != *standard.node.address) {
        return refuse(why, 400, "X-Forwarded-For and Forwarded name different clients (forwarded_client)");
    }
    const bool by_standard = rules_.forwarded_client == client_field::forwarded;
    const forwarded_client& said = by_standard ? standard : plain;
    if (said.what == word::unsaid) return true;
    client_address_ = said.node.address ? said.node.address->text() : std::string();
    head.client = told_client{client_address_, said.node.port};
    return true;
}

bool field_rules::set_forwarded_host(request_head& head, refusal& why) const {
    if (!rules_.forwarded_host) return true;
    bool found = false;
    for (const field& each : head.fields) {
        if (!iequals(each.name, "X-Forwarded-Host")) continue;
        if (found)
            return refuse(why, 400, "Invalid header: X-Forwarded-Host is given twice (forwarded_host)");
        found = true;
        if (each.value.empty()) continue;
        // A comma would be one of a host's name; here it stands between what several proxies say.
        if (!valid_host(each.value) || each.value.find(',') != std::string_view::npos) {
            return refuse(why, 400, "Invalid X-Forwarded-Host: not one host (forwarded_host)", each.value);
        }
        head.authority = each.value;
    }
    return true;
}

bool field_rules::finish(const target_parts& target, request_head& head, refusal& why) {
    if (!now_.host && now_.v != version::http_1_0) {
        return refuse(why, 400, "Host header is missing (RFC 9112, 3.2)");
    }
    if (now_.underscores && ambiguous(head.fields, why)) return false;
    if (!set_framing(head, why)) return false;
    head.script_name = base::without_slash(now_.script_name.value_or(std::string_view{}));
    head.authority = target.authority.empty() ? now_.host.value_or(std::string_view{}) : target.authority;
    if (misdirected(head.authority)) {
        return refuse(why, 421, "This connection was made for another host (RFC 9110, 15.5.20)");
    }
    if (now_.hops != nullptr && (!set_client(head, why) || !set_forwarded_host(head, why))) return false;
    if (now_.secure) head.scheme = "https";
    if (!now_.scheme.empty()) head.scheme = now_.scheme;
    // Persistence is the default since HTTP/1.1 and an option of 1.0; "close" wins (RFC 9112, 9.3).
    head.keep_alive = !now_.close && (now_.v != version::http_1_0 || now_.keep_alive);
    // Upgrade counts only where Connection names it, and not in HTTP/1.0 (RFC 9110, 7.8).
    head.wants_websocket = now_.websocket && now_.upgrade && now_.v == version::http_1_1;
    // Without a body to wait for, or from HTTP/1.0, the expectation says nothing (RFC
    // 9110, 10.1.1).
    const bool empty = head.framing == body_framing::none ||
                       (head.framing == body_framing::length && head.content_length == 0);
    head.expects_continue = now_.expects_continue && now_.v != version::http_1_0 && !empty;
    return true;
}

}  // namespace unicoro::http
