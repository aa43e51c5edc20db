// SPDX-License-Identifier: MIT
#include "fuzz/proxy_invariants.hpp"

#include "http/proxy_header.hpp"

#include <algorithm>
#include <cstddef>

namespace unicoro::test {
namespace {

using namespace unicoro::http;
using status = proxy_step::status;

bool same(const proxied_connection& a, const proxied_connection& b) {
    return a.kind == b.kind && a.source == b.source && a.destination == b.destination &&
           a.source_port == b.source_port && a.destination_port == b.destination_port &&
           a.authority == b.authority && a.alpn == b.alpn && a.tls == b.tls && a.verified == b.verified;
}

std::string broken_of(std::string_view input, proxy_protocol which) {
    proxied_connection about;
    const proxy_step whole = read_proxy_header(input, which, about);
    const bool complete = whole.what == status::complete;
    if (complete != (whole.consumed != 0)) return "bytes are consumed by a complete header alone";
    if (whole.consumed > std::min(input.size(), longest_proxy_header)) return "more is consumed than may be";
    if ((whole.what == status::refused) == whole.why.empty()) return "a reason goes with a refusal alone";
    if (whole.what == status::need_more && input.size() >= longest_proxy_header) return "it waits for ever";
    if (!complete) return {};
    if (about.kind != proxied_connection::family::none &&
        about.kind != proxied_connection::family::unix_socket &&
        (about.source.empty() || about.destination.empty())) {
        return "an announced client without an address";
    }
    // Every way to cut it asks for more; what follows changes nothing.
    for (std::size_t size = 0; size < whole.consumed; ++size) {
        proxied_connection unused;
        if (read_proxy_header(input.substr(0, size), which, unused).what != status::need_more) {
            return "a part of a complete header is judged";
        }
    }
    proxied_connection alone;
    const proxy_step exact = read_proxy_header(input.substr(0, whole.consumed), which, alone);
    if (exact.what != status::complete || !same(about, alone)) return "what follows a header changes it";
    return {};
}

}  // namespace

std::string broken_proxy_invariant(std::string_view input) {
    for (const auto which :
         {proxy_protocol::off, proxy_protocol::v1, proxy_protocol::v2, proxy_protocol::any}) {
        std::string broken = broken_of(input, which);
        if (!broken.empty()) return broken;
    }
    return {};
}

}  // namespace unicoro::test
