// SPDX-License-Identifier: MIT
#include "app/filtered_exchange.hpp"

#include "log/log.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

namespace unicoro::app {
namespace {

// Compressed in one go, while nothing else of the worker runs: a millisecond or so.
constexpr std::size_t most_at_once = std::size_t{64} * 1024;

awaitable<void> let_others_run() {
    const executor loop = co_await boost::asio::this_coro::executor;
    [[maybe_unused]] const std::tuple<> turn = co_await boost::asio::post(loop, as_tuple);
}

bool shows_certificate(connection_info& connection) noexcept {
    return connection.stream && connection.stream->tls && connection.stream->tls->client;
}

int level_of(const settings::compression_settings& values, compress::coding coding) noexcept {
    switch (coding) {
        case compress::coding::zstd: return values.compression_level_zstd;
        case compress::coding::br: return values.compression_level_br;
        case compress::coding::gzip: return values.compression_level_gzip;
    }
    return 0;
}

}  // namespace

filtered_exchange::filtered_exchange(exchange& real, const output_filters& filters)
    : real_(real), filters_(filters) {
    is_at(real.where());
}

filtered_exchange::~filtered_exchange() = default;

void filtered_exchange::tell(std::string_view what) const {
    log::error("{} {}: {}", log::escaped(real_.head().method), log::escaped(real_.head().target), what);
}

// --- what becomes of it

bool filtered_exchange::settle_redirect() {
    redirect_ = take_redirect(real_.response(), filters_.x_accel_redirect(), filters_.x_sendfile());
    if (!redirect_) return false;
    mode_ = mode::redirected;
    return true;
}

void filtered_exchange::settle(std::optional<std::uint64_t> size) {
    if (mode_ != mode::unsettled) return;
    mode_ = mode::passed_on;
    if (settle_redirect() || !filters_.compresses()) return;
    settle_compression(size);
}

// Files have the kernel send them, and packed ones beside them for who wants these.
void filtered_exchange::settle_file() {
    if (mode_ != mode::unsettled) return;
    mode_ = mode::passed_on;
    [[maybe_unused]] const bool redirected = settle_redirect();
}

void filtered_exchange::settle_compression(std::optional<std::uint64_t> size) {
    http::response_head& head = real_.response();
    const http::request_head& request = real_.head();
    if (head.status() == 304) match_weak_etag(request, head);
    const bool only_head = request.method == "HEAD";
    // Most applications give no body to HEAD, which says nothing of the one to GET.
    if (only_head && size == 0) size.reset();
    const response_facts known{.size = size, .client_certificate = shows_certificate(real_.connection())};
    const compression_choice choice = choose_compression(filters_.compression(), request, head, known);
    if (choice.varies) announce_variance(head);
    if (!choice.coding) return;
    announced_.length = head.content_length();
    const auto told = announced_.length && size ? std::min(*announced_.length, *size) : announced_.length;
    if (!only_head && !begin_compression(*choice.coding, told ? told : size)) return;
    announce_coding(head, *choice.coding);
    mode_ = only_head ? mode::bodiless : mode::compressed;
}

bool filtered_exchange::begin_compression(compress::coding coding, std::optional<std::uint64_t> size) {
    encoder_ = compress::make_encoder(coding, level_of(filters_.compression(), coding), size);
    return encoder_ != nullptr;
}

// --- compression

std::string_view filtered_exchange::admitted(std::string_view piece) {
    const std::size_t asked = piece.size();
    if (announced_.length) {
        piece = piece.substr(0, static_cast<std::size_t>(*announced_.length - announced_.given));
    }
    announced_.given += piece.size();
    if (piece.size() < asked && !std::exchange(announced_.overran, true)) {
        tell("the response body is longer than its Content-Length; the rest is not sent");
    }
    return piece;
}

bool filtered_exchange::is_short() const noexcept {
    return announced_.length && announced_.given < *announced_.length;
}

bool filtered_exchange::compress_piece(std::string_view piece, compress::flush how) {
    out_.clear();
    return encoder_->encode(piece, how, out_);
}

error_code filtered_exchange::cut() {
    real_.fail(500, "");
    return errc::cancelled;
}

// Every piece that an application writes by itself is to be seen.
awaitable<error_code> filtered_exchange::compress_and_write(std::string_view piece) {
    piece = admitted(piece);
    while (!piece.empty()) {
        const std::string_view step = piece.substr(0, most_at_once);
        piece.remove_prefix(step.size());
        if (!compress_piece(step, piece.empty() ? compress::flush::sync : compress::flush::none)) {
            co_return cut();
        }
        if (!out_.empty()) {
            const error_code failed = co_await real_.write(out_);
            if (failed) co_return failed;
        }
        if (!piece.empty()) co_await let_others_run();
    }
    co_return error_code{};
}

awaitable<error_code> filtered_exchange::compress_whole(std::string_view body) {
    body = admitted(body);
    while (body.size() > most_at_once) {
        if (!compress_piece(body.substr(0, most_at_once), compress::flush::none)) co_return cut();
        body.remove_prefix(most_at_once);
        if (!out_.empty()) {
            const error_code failed = co_await real_.write(out_);
            if (failed) co_return failed;
        }
        co_await let_others_run();
    }
    if (is_short()) {
        tell("the response body is shorter than its Content-Length; closing");
        co_return cut();
    }
    if (!compress_piece(body, compress::flush::end)) co_return cut();
    encoder_.reset();
    // One that fits one step needs no chunks.
    if (!real_.head_sent()) {
        const error_code sent = co_await real_.send(out_);
        co_return sent;
    }
    const error_code failed = co_await real_.write(out_);
    if (failed) co_return failed;
    const error_code ended = co_await real_.finish();
    co_return ended;
}

awaitable<error_code> filtered_exchange::compress_file(int fd, std::uint64_t offset, std::uint64_t count) {
    std::vector<char> buffer(static_cast<std::size_t>(std::min<std::uint64_t>(count, most_at_once)));
    while (count > 0) {
        const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(count, buffer.size()));
        const ssize_t read = ::pread(fd, buffer.data(), wanted, static_cast<off_t>(offset));
        if (read < 0 && errno == EINTR) continue;
        // It became shorter, or cannot be read.
        if (read <= 0) co_return cut();
        const std::string_view piece(buffer.data(), static_cast<std::size_t>(read));
        const error_code failed = co_await compress_and_write(piece);
        if (failed) co_return failed;
        offset += piece.size();
        count -= piece.size();
        co_await let_others_run();
    }
    co_return error_code{};
}

// --- the response

void filtered_exchange::respond(std::string body) {
    settle(body.size());
    switch (mode_) {
        case mode::unsettled:
        case mode::passed_on: real_.respond(std::move(body)); break;
        case mode::bodiless: real_.respond({}); break;
        case mode::redirected: break;
        case mode::compressed: whole_ = std::move(body); break;
    }
}

awaitable<error_code> filtered_exchange::send(std::string_view body) {
    settle(body.size());
    error_code outcome;
    switch (mode_) {
        case mode::unsettled:
        case mode::passed_on: outcome = co_await real_.send(body); break;
        case mode::bodiless: outcome = co_await real_.finish(); break;
        case mode::redirected: break;
        case mode::compressed: outcome = co_await compress_whole(body); break;
    }
    co_return outcome;
}

awaitable<error_code> filtered_exchange::write(std::string_view piece) {
    if (piece.empty()) co_return error_code{};
    settle(std::nullopt);
    error_code outcome;
    if (mode_ == mode::compressed) {
        outcome = co_await compress_and_write(piece);
    } else if (mode_ != mode::redirected) {
        outcome = co_await real_.write(piece);
    }
    co_return outcome;
}

std::optional<error_code> filtered_exchange::try_write(std::string_view piece) {
    if (piece.empty()) return error_code{};
    settle(std::nullopt);
    if (mode_ == mode::redirected) return error_code{};
    if (mode_ != mode::compressed) return real_.try_write(piece);
    if (piece.size() > most_at_once) {
        rest_ = piece;
        return std::nullopt;
    }
    piece = admitted(piece);
    if (piece.empty()) return error_code{};
    if (!compress_piece(piece, compress::flush::sync)) return cut();
    return real_.try_write(out_);
}

awaitable<error_code> filtered_exchange::write_rest() {
    const std::string_view rest = std::exchange(rest_, {});
    error_code outcome;
    if (rest.empty()) {
        outcome = co_await real_.write_rest();
    } else {
        outcome = co_await compress_and_write(rest);
    }
    co_return outcome;
}

error_code filtered_exchange::write_in_line(std::string_view piece, bool (*give_up)()) {
    if (piece.empty()) return {};
    settle(std::nullopt);
    if (mode_ == mode::redirected) return {};
    if (mode_ != mode::compressed) return real_.write_in_line(piece, give_up);
    piece = admitted(piece);
    while (!piece.empty()) {
        const std::string_view step = piece.substr(0, most_at_once);
        piece.remove_prefix(step.size());
        if (!compress_piece(step, piece.empty() ? compress::flush::sync : compress::flush::none)) {
            return cut();
        }
        if (out_.empty()) continue;
        if (const error_code failed = real_.write_in_line(out_, give_up)) return failed;
    }
    return {};
}

awaitable<error_code> filtered_exchange::write_file(int fd, std::uint64_t offset, std::uint64_t count) {
    settle_file();
    error_code outcome;
    if (mode_ == mode::compressed) {
        outcome = co_await compress_file(fd, offset, count);
    } else if (mode_ != mode::redirected) {
        outcome = co_await real_.write_file(fd, offset, count);
    }
    co_return outcome;
}

awaitable<error_code> filtered_exchange::finish() {
    if (mode_ == mode::unsettled) settle(0);
    if (mode_ == mode::redirected || !whole_.empty()) co_return error_code{};
    if (mode_ == mode::compressed && encoder_ != nullptr) {
        if (is_short()) {
            tell("the response body is shorter than its Content-Length; closing");
            co_return cut();
        }
        if (!compress_piece({}, compress::flush::end)) co_return cut();
        encoder_.reset();
        const error_code failed = co_await real_.write(out_);
        if (failed) co_return failed;
    }
    const error_code ended = co_await real_.finish();
    co_return ended;
}

void filtered_exchange::fail(int status, std::string_view detail) {
    // What the application meant is of no account any more.
    mode_ = mode::passed_on;
    redirect_.reset();
    whole_.clear();
    real_.fail(status, detail);
}

awaitable<void> filtered_exchange::deliver() {
    if (redirect_) {
        real_.leave();
        co_await filters_.files().answer_in_stead(real_, *redirect_);
    } else if (!whole_.empty()) {
        real_.leave();
        [[maybe_unused]] const error_code failed = co_await compress_whole(whole_);
    }
}

}  // namespace unicoro::app
