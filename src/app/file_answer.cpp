// SPDX-License-Identifier: MIT
#include "app/file_answer.hpp"

#include "http/byte_ranges.hpp"
#include "http/conditions.hpp"
#include "http/http_date.hpp"
#include "log/log.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace unicoro::app {
namespace {

using ranges = std::vector<http::byte_range>;

// Each of these is valid as it stands.
void put(exchange& to, std::string_view name, std::string_view value) {
    [[maybe_unused]] const error_code valid = to.response().add(name, value);
}

void put_status(exchange& to, int status) {
    [[maybe_unused]] const error_code valid = to.response().set_status(status);
}

// Of what the application has said itself.
std::optional<std::string> said(exchange& to, std::string_view name) {
    const auto value = to.response().find(name);
    return value ? std::optional<std::string>(*value) : std::nullopt;
}

// A field that goes back in where its turn is.
std::optional<std::string> take(exchange& to, std::string_view name) {
    std::optional<std::string> value = said(to, name);
    if (value) to.response().erase(name);
    return value;
}

std::string content_range(const http::byte_range& part, std::uint64_t size) {
    return fmt::format("bytes {}-{}/{}", part.first, part.first + part.count - 1, size);
}

/// What separates the parts of multipart/byteranges (RFC 9110, 14.6): nobody can have put it into the file.
std::string make_boundary() {
    std::random_device source;
    std::string made;
    for (int i = 0; i < 4; ++i) made += fmt::format("{:08x}", source());
    return made;
}

struct multipart {
    std::vector<std::string> heads;
    std::string end;
    std::uint64_t length = 0;
};

multipart compose(
    const ranges& parts, const std::string& boundary, const file_description& about, std::uint64_t size
) {
    multipart made;
    for (const http::byte_range& part : parts) {
        made.heads.push_back(fmt::format(
            "\r\n--{}\r\nContent-Type: {}\r\nContent-Range: {}\r\n\r\n",
            boundary,
            about.media_type,
            content_range(part, size)
        ));
        made.length += made.heads.back().size() + part.count;
    }
    made.end = fmt::format("\r\n--{}--\r\n", boundary);
    made.length += made.end.size();
    return made;
}

awaitable<void> send_parts(
    exchange& to, const open_file& file, const file_description& about, const ranges& parts
) {
    const std::string boundary = make_boundary();
    const multipart made = compose(parts, boundary, about, file.size());
    put_status(to, 206);
    put(to, "Content-Type", "multipart/byteranges; boundary=" + boundary);
    put(to, "Content-Length", std::to_string(made.length));
    for (std::size_t i = 0; i < parts.size(); ++i) {
        error_code failed = co_await to.write(made.heads[i]);
        if (failed) co_return;
        failed = co_await to.write_file(file.fd(), parts[i].first, parts[i].count);
        if (failed) co_return;
    }
    const error_code failed = co_await to.write(made.end);
    if (failed) co_return;
    [[maybe_unused]] const error_code ended = co_await to.finish();
}

awaitable<void> send_one(exchange& to, const open_file& file, const http::byte_range& part) {
    put(to, "Content-Length", std::to_string(part.count));
    const error_code failed = co_await to.write_file(file.fd(), part.first, part.count);
    if (failed) co_return;
    [[maybe_unused]] const error_code ended = co_await to.finish();
}

/// True when it is answered without any of the file.
bool settled_by_conditions(exchange& to, const http::validators& now, const file_description& about) {
    const std::string_view method = to.head().method;
    if (method != "GET" && method != "HEAD") return false;
    switch (http::judge_conditions(to.head(), now)) {
        case http::condition::holds: return false;
        case http::condition::not_modified:
            put_status(to, 304);
            if (!about.cache_control.empty()) put(to, "Cache-Control", about.cache_control);
            break;
        case http::condition::failed:
            put_status(to, 412);
            put(to, "Content-Length", "0");
            break;
    }
    return true;
}

}  // namespace

awaitable<void> answer_with_file(exchange& to, const open_file& file, const file_description& described) {
    file_description about = described;
    const auto own_type = take(to, "Content-Type");
    if (own_type) about.media_type = *own_type;
    if (said(to, "Cache-Control")) about.cache_control = {};
    const auto own_etag = said(to, "ETag");
    const std::string etag = own_etag.value_or(file.etag(about.coding));
    const http::validators now{etag, file.modified()};
    if (!said(to, "Last-Modified")) put(to, "Last-Modified", http::imf_fixdate(file.modified()));
    if (!own_etag) put(to, "ETag", etag);
    const auto own_ranges = said(to, "Accept-Ranges");
    const bool in_ranges = !own_ranges || !http::iequals(*own_ranges, "none");
    if (!own_ranges) put(to, "Accept-Ranges", "bytes");
    if (about.varies) put(to, "Vary", "Accept-Encoding");
    if (settled_by_conditions(to, now, about)) {
        [[maybe_unused]] const error_code ended = co_await to.finish();
        co_return;
    }
    std::optional<ranges> asked;
    if (in_ranges && http::range_is_current(to.head(), now, !about.varies))
        asked = http::ranges_asked_for(to.head(), file.size());
    if (asked && asked->empty()) {
        put_status(to, 416);
        put(to, "Content-Range", fmt::format("bytes */{}", file.size()));
        put(to, "Content-Length", "0");
        [[maybe_unused]] const error_code ended = co_await to.finish();
        co_return;
    }
    if (!about.coding.empty()) put(to, "Content-Encoding", about.coding);
    if (!about.cache_control.empty()) put(to, "Cache-Control", about.cache_control);
    const bool several = asked && asked->size() > 1;
    if (!several) put(to, "Content-Type", about.media_type);
    if (!asked) {
        const http::byte_range whole{0, file.size()};
        co_await send_one(to, file, whole);
    } else if (asked->size() == 1) {
        put_status(to, 206);
        put(to, "Content-Range", content_range(asked->front(), file.size()));
        co_await send_one(to, file, asked->front());
    } else {
        co_await send_parts(to, file, about, *asked);
    }
}

}  // namespace unicoro::app
