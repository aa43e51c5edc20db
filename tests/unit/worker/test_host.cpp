// SPDX-License-Identifier: MIT
#include "unit/worker/test_host.hpp"

#include <unicoro/sleep.hpp>

#include <boost/system/system_error.hpp>

#include <array>
#include <chrono>
#include <stdexcept>
#include <string>

namespace worker_test {

using namespace std::chrono_literals;
using unicoro::awaitable;
using unicoro::error_code;
using unicoro::app::exchange;

std::optional<unicoro::app::load_error> test_host::load(unicoro::app::worker_context&) {
    return std::nullopt;
}

awaitable<std::optional<unicoro::app::load_error>> test_host::start(unicoro::app::worker_context&) {
    co_return std::nullopt;
}

awaitable<void> test_host::stop(unicoro::app::worker_context&) {
    co_return;
}

awaitable<void> test_host::echo(exchange& request) {
    std::string body;
    std::array<char, 1000> piece;
    for (;;) {
        const unicoro::result<std::size_t> taken = co_await request.read_body(piece);
        if (!taken) {
            if (taken.error() == unicoro::errc::cancelled) {
                throw boost::system::system_error(taken.error());
            }
            if (taken.error() == unicoro::errc::body_too_large)
                request.fail(413, "too large");
            else
                request.fail(400, "bad body");
            co_return;
        }
        if (*taken == 0) break;
        body.append(piece.data(), *taken);
    }
    request.respond(std::move(body));
}

awaitable<void> test_host::talk(exchange& request) {
    error_code ec = co_await request.write("go on ");
    std::array<char, 100> piece;
    const unicoro::result<std::size_t> taken = co_await request.read_body(piece);
    if (taken) {
        const std::string_view heard(piece.data(), *taken);
        ec = co_await request.write(heard);
    }
    ec = co_await request.finish();
}

awaitable<void> test_host::stream(exchange& request) {
    for (const std::string_view piece : {"one ", "two ", "three"}) {
        const error_code ec = co_await request.write(piece);
        if (ec) co_return;
    }
    [[maybe_unused]] const error_code ended = co_await request.finish();
}

awaitable<void> test_host::handle(exchange& request) {
    const std::string_view path = request.head().path;
    if (path == "/echo") {
        co_await echo(request);
    } else if (path == "/stream") {
        co_await stream(request);
    } else if (path == "/sleep") {
        co_await unicoro::sleep_for(300ms);
        request.respond("slept");
    } else if (path == "/forever") {
        co_await unicoro::sleep_for(1h);
        request.respond("never");
    } else if (path == "/big") {
        const std::string body(std::size_t{8} << 20, 'b');
        [[maybe_unused]] const error_code ec = co_await request.send(body);
    } else if (path == "/short") {
        [[maybe_unused]] error_code ec = request.response().add("Content-Length", "10");
        ec = co_await request.write("12345");
        ec = co_await request.finish();
    } else if (path == "/long") {
        [[maybe_unused]] error_code ec = request.response().add("Content-Length", "3");
        ec = co_await request.write("12345");
        ec = co_await request.finish();
    } else if (path == "/pieces") {
        [[maybe_unused]] error_code ec = request.response().add("Content-Length", "5");
        ec = co_await request.write("hello");
        ec = co_await request.write("extra");
        if (!ec) ec = co_await request.finish();
    } else if (path == "/talk") {
        co_await talk(request);
    } else if (path == "/throw") {
        throw std::runtime_error("told to");
    } else if (path == "/nothing") {
        co_return;
    } else if (path == "/break") {
        [[maybe_unused]] const error_code ec = co_await request.write("half");
        request.fail(500, "");
    } else {
        request.respond("hello from " + std::string(path));
    }
}

}  // namespace worker_test
