// SPDX-License-Identifier: MIT
#include "fuzz/request_invariants.hpp"

#include "http/chars.hpp"
#include "unit/http/conversation.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace unicoro::test {
namespace {

http::policy strict() {
    http::policy p;
    p.limit_request_line = 100;
    p.limit_request_fields = 8;
    p.limit_request_field_size = 60;
    p.limit_request_body = 64;
    p.header_map = http::underscore_fields::refuse;
    return p;
}

http::policy permissive() {
    http::policy p;
    p.permit_obsolete_folding = true;
    p.permit_unconventional_http_method = true;
    p.permit_unconventional_http_version = true;
    p.casefold_http_method = true;
    p.header_map = http::underscore_fields::dangerous;
    p.secure_scheme_headers = {{"X-FORWARDED-PROTO", "https"}, {"X-FORWARDED-SSL", "on"}};
    p.forwarder_headers = {"SCRIPT_NAME", "*"};
    p.forwarded_client = http::client_field::forwarded;
    p.forwarded_host = true;
    return p;
}

base::trust_list proxies() {
    base::trust_list made;
    if (!made.add("10.0.0.0/8")) std::abort();
    return made;
}

next_read random_pieces(std::uint64_t seed) {
    return [state = seed | 1U](std::size_t) mutable {
        state ^= state << 13U;
        state ^= state >> 7U;
        state ^= state << 17U;
        return static_cast<std::size_t>(1 + state % 37);
    };
}

std::uint64_t hash(std::string_view bytes) {
    std::uint64_t h = 14695981039346656037U;
    for (const char byte : bytes) h = (h ^ static_cast<unsigned char>(byte)) * 1099511628211U;
    return h;
}

std::string check_refusal(const transcript& t) {
    static constexpr std::array<int, 7> honest = {400, 413, 414, 417, 431, 501, 505};
    if (std::find(honest.begin(), honest.end(), t.status) == honest.end()) return "a status that no rule has";
    if (t.detail.empty() || t.detail.size() > 700) return "no reason, or an endless one";
    const auto printable = [](char byte) { return byte >= ' ' && byte <= '~'; };
    if (!std::all_of(t.detail.begin(), t.detail.end(), printable)) return "a reason with raw bytes";
    return {};
}

std::string check_request(const request_record& r) {
    using http::byte_class;
    if (r.method.empty() || !http::all(byte_class::token, r.method)) return "a method that is no token";
    if (r.target.empty() || !http::all(byte_class::target, r.target)) return "a target with bad bytes";
    for (const auto& [name, value] : r.fields) {
        if (name.empty() || !http::all(byte_class::token, name)) return "a field name that is no token";
        if (!http::all(byte_class::content, value)) return "a field value with control bytes";
        if (http::trim(value) != value) return "a field value with white space around it";
    }
    if (r.framing == http::body_framing::none && !r.body.empty()) return "a body without framing";
    if (r.framing == http::body_framing::length) {
        if (r.body.size() > r.content_length) return "a body over its length";
        if (r.body_complete && r.body.size() != r.content_length) return "a body below its length";
    }
    if (r.version == "HTTP/1.0" && r.framing == http::body_framing::chunked) return "chunked in HTTP/1.0";
    return {};
}

std::string check(const transcript& t) {
    if (t.status != 0) {
        std::string wrong = check_refusal(t);
        if (!wrong.empty()) return wrong;
    }
    for (std::size_t i = 0; i < t.requests.size(); ++i) {
        std::string wrong = check_request(t.requests[i]);
        if (!wrong.empty()) return wrong;
        const bool last = i + 1 == t.requests.size();
        if (!last && (!t.requests[i].keep_alive || !t.requests[i].body_complete))
            return "a request behind the last";
    }
    return {};
}

std::string check(const http::policy& rules, http::peer sender, std::string_view wire) {
    const transcript at_once = converse(rules, sender, wire, whole());
    std::string wrong = check(at_once);
    if (!wrong.empty()) return wrong;
    const std::uint64_t seed = hash(wire);
    if (converse(rules, sender, wire, pieces_of(1)) != at_once) return "another result byte by byte";
    if (converse(rules, sender, wire, random_pieces(seed)) != at_once) return "another result in pieces";
    if (converse(rules, sender, wire, split_at(1 + seed % (wire.size() + 1))) != at_once) {
        return "another result in two pieces";
    }
    return {};
}

}  // namespace

std::string broken_invariant(std::string_view wire) {
    static const std::array<http::policy, 2> policies = {strict(), permissive()};
    static const base::trust_list hops = proxies();
    for (const http::policy& rules : policies) {
        for (const http::peer& sender : {http::peer(), http::peer(http::peer_trust::trusted, false, &hops)}) {
            std::string wrong = check(rules, sender, wire);
            if (!wrong.empty()) return wrong;
        }
    }
    return {};
}

}  // namespace unicoro::test
