// SPDX-License-Identifier: MIT
// Answers every request with what an application sees of it, as JSON. Bytes above 0x7f count as
// Latin-1, so that nothing is lost.
#include <unicoro/unicoro.hpp>

#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

namespace {

void append_text(std::string& out, std::string_view text) {
    out += '"';
    for (const char each : text) {
        const auto byte = static_cast<unsigned char>(each);
        if (byte >= 0x20 && byte < 0x7f && each != '"' && each != '\\') {
            out += each;
            continue;
        }
        char escaped[8];
        std::snprintf(escaped, sizeof escaped, "\\u%04x", byte);
        out += escaped;
    }
    out += '"';
}

void append_member(std::string& out, std::string_view name, std::string_view value) {
    append_text(out, name);
    out += ':';
    append_text(out, value);
    out += ',';
}

unicoro::awaitable<unicoro::response> describe(unicoro::request& request) {
    if (request.query() == "hint") {
        request.early_hints({{"Link", "</style.css>; rel=preload; as=style"}, {"Link", "</code.js>"}});
    }
    if (request.query() == "wrong-hint") request.early_hints({{"Link", "a\r\nSet-Cookie: b"}});
    const std::string body = co_await request.body().read_all();
    std::string out = "{";
    append_member(out, "method", request.method());
    append_member(out, "target", request.target());
    append_member(out, "path", request.mount() + std::string(request.path()));
    append_member(out, "query", request.query());
    append_member(out, "version", request.protocol());
    append_member(out, "scheme", request.scheme());
    append_member(out, "host", request.host());
    append_member(
        out, "remote", std::string(request.remote_address()) + ":" + std::to_string(request.remote_port())
    );
    append_member(out, "proxy_addr", request.connection_variable("PROXY_ADDR"));
    append_member(out, "body", body);
    out += "\"fields\":[";
    std::string_view between;
    for (const unicoro::header_field& field : request.headers()) {
        out += between;
        out += '[';
        append_text(out, field.name);
        out += ',';
        append_text(out, field.value);
        out += ']';
        between = ",";
    }
    out += "]}";
    co_return unicoro::response::json(std::move(out));
}

}  // namespace

extern "C" const unicoro::application app{.handle = describe};
