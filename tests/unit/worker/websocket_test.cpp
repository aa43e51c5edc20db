// SPDX-License-Identifier: MIT
// Handles of native WebSockets, over a connection in this process.
#include "support/doctest.hpp"
#include "worker/http1_connection.hpp"
#include "worker/serving.hpp"
#include "worker/socket_stream.hpp"

#include <unicoro/unicoro.hpp>

#include <boost/system/system_error.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using unicoro::awaitable;
using unicoro::errc;
using unicoro::error_code;
using unicoro::websocket;
using namespace std::chrono_literals;

using handler = awaitable<void> (*)(websocket socket);

std::vector<error_code> answers;

/// Accepts every request as a WebSocket, keeps a handle and runs a handler on it.
class accepting_host final : public unicoro::app::host {
  public:
    std::string_view interface_name() const noexcept override { return "test"; }
    std::optional<unicoro::app::load_error> load(unicoro::app::worker_context&) override { return {}; }
    awaitable<std::optional<unicoro::app::load_error>> start(unicoro::app::worker_context&) override {
        co_return std::nullopt;
    }
    awaitable<void> handle(unicoro::app::exchange& exchange) override {
        unicoro::request asked(exchange);
        websocket socket = co_await websocket::accept(asked);
        kept.emplace(socket);
        if (run != nullptr) co_await run(socket);
    }
    awaitable<void> stop(unicoro::app::worker_context&) override { co_return; }

    std::optional<websocket> kept;
    handler run = nullptr;
};

/// The parts of a worker that a connection needs, and a client at its other end.
class served {
  public:
    explicit served(handler run) : board_(unicoro::scoreboard::table::create(1, 4).value()) {
        REQUIRE_FALSE(board_.open(0, unicoro::scoreboard::worker_state::booting));
        host.run = run;
        shared_.host = &host;
        std::array<int, 2> ends{};
        REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) == 0);
        client_ = ends[1];
        auto stream = std::make_unique<unicoro::worker::socket_stream>(io, AF_UNIX, ends[0]);
        unicoro::app::connection_info info;
        info.unix_socket = true;
        auto made =
            std::make_unique<unicoro::worker::http1_connection>(shared_, std::move(stream), std::move(info));
        unicoro::worker::http1_connection& carried = *made;
        group.spawn(std::move(made), carried.serve());
        send(
            "GET / HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        );
        REQUIRE(until([this] { return host.kept.has_value() && heard().find("\r\n\r\n") != heard().npos; }));
        heard_.clear();
    }
    served(const served&) = delete;
    served& operator=(const served&) = delete;
    ~served() {
        hang_up();
        CHECK(until([this] { return group.empty(); }));
        // What the ends have posted.
        io.run_for(1ms);
    }

    void send(std::string_view bytes) const {
        REQUIRE(write(client_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
    }
    /// A masked frame of the client, with a mask of zeros.
    void send_frame(unsigned opcode, std::string_view payload) const {
        std::string frame{static_cast<char>(0x80U | opcode), static_cast<char>(0x80U | payload.size())};
        send(frame.append(4, '\0').append(payload));
    }
    /// What has arrived at the client.
    const std::string& heard() {
        std::array<char, 65536> piece;
        for (;;) {
            const ssize_t got = read(client_, piece.data(), piece.size());
            if (got <= 0) return heard_;
            heard_.append(piece.data(), static_cast<std::size_t>(got));
        }
    }
    void forget_heard(std::size_t count) { heard_.erase(0, count); }
    void hang_up() {
        if (client_ >= 0) close(client_);
        client_ = -1;
    }

    bool until(const std::function<bool()>& condition) {
        const auto end = std::chrono::steady_clock::now() + 10s;
        while (!condition()) {
            if (std::chrono::steady_clock::now() > end) return false;
            io.restart();
            io.run_one_for(5ms);
        }
        return true;
    }

    boost::asio::io_context io{1};
    accepting_host host;
    unicoro::aio::task_group group{io};   // the connection
    unicoro::aio::task_group others{io};  // what uses the WebSocket beside its handler

  private:
    unicoro::settings::server_settings settings_;
    unicoro::scoreboard::table board_;
    unicoro::worker::serving shared_{io, settings_, board_, 0};
    int client_ = -1;
    std::string heard_;
};

awaitable<void> until_the_end(websocket socket) {
    std::optional<websocket::message> heard = co_await socket.receive();
    while (heard) heard = co_await socket.receive();
}

awaitable<void> return_when_told(websocket socket) {
    [[maybe_unused]] const std::optional<websocket::message> heard = co_await socket.receive();
}

awaitable<void> answer_in_three(websocket socket) {
    std::optional<websocket::message> heard = co_await socket.receive();
    while (heard) {
        for (const char* each : {"one", "two", "three"}) answers.push_back(socket.post_text(each));
        heard = co_await socket.receive();
    }
}

awaitable<void> send(websocket* by, std::string bytes, error_code* outcome) {
    try {
        co_await by->send_binary(std::move(bytes));
        *outcome = error_code();
    } catch (const boost::system::system_error& error) {
        *outcome = error.code();
    }
}

awaitable<void> receive(websocket* by, std::string* outcome) {
    std::optional<websocket::message> heard = co_await by->receive();
    *outcome = heard ? heard->data : "nothing";
}

/// More than the socket's buffer holds.
std::string large() {
    return std::string(std::size_t{4} << 20, 'l');
}

const error_code unset = errc::invalid_status;

}  // namespace

TEST_SUITE("handles of WebSockets") {
    TEST_CASE("one that outlives its connection says so") {
        served it(until_the_end);
        websocket copy = *it.host.kept;
        it.send_frame(
            8,
            "\x03\xe8"
            "bye"
        );
        REQUIRE(it.until([&] { return it.group.empty(); }));
        CHECK_FALSE(copy.is_open());
        CHECK(copy.close_code() == 1000);
        CHECK(copy.close_reason() == "bye");
        CHECK(copy.post_text("x") == errc::websocket_closed);
        CHECK(copy.unsent() == 0);
        copy.close();
        error_code sent = unset;
        std::string heard;
        it.others.spawn("send", send(&copy, "x", &sent));
        it.others.spawn("receive", receive(&copy, &heard));
        CHECK(it.until([&] { return it.others.empty(); }));
        CHECK(sent == errc::websocket_closed);
        CHECK(heard == "nothing");
    }

    TEST_CASE("what waits ends with the handler, and is the last owner") {
        served it(return_when_told);
        auto mine = std::make_unique<websocket>(*it.host.kept);
        it.host.kept.reset();
        error_code sent = unset;
        error_code behind = unset;
        it.others.spawn("send", send(mine.get(), large(), &sent));
        it.others.spawn("send behind", send(mine.get(), large(), &behind));
        REQUIRE(it.until([&] { return mine->unsent() > 2 * large().size(); }));
        // From here on the calls alone hold the WebSocket.
        mine.reset();
        it.send_frame(1, "return");
        SUBCASE("the client closes") {
            it.send_frame(8, "\x03\xe8");
        }
        SUBCASE("the client vanishes") {}
        it.hang_up();
        CHECK(it.until([&] { return it.others.empty() && it.group.empty(); }));
        CHECK(sent == errc::websocket_closed);
        CHECK(behind == errc::websocket_closed);
    }

    TEST_CASE("what waits ends when the connection is cancelled") {
        served it(until_the_end);
        websocket copy = *it.host.kept;
        std::string heard;
        error_code sent = unset;
        it.others.spawn("receive", receive(&copy, &heard));
        it.others.spawn("send", send(&copy, large(), &sent));
        REQUIRE(it.until([&] { return copy.unsent() > 0; }));
        it.group.cancel_all();
        CHECK(it.until([&] { return it.others.empty() && it.group.empty(); }));
        CHECK(heard == "nothing");
        CHECK(sent == errc::websocket_closed);
        CHECK(copy.close_code() == 1006);
    }

    TEST_CASE("one who waits is cancelled, and the WebSocket lives on") {
        served it(until_the_end);
        websocket copy = *it.host.kept;
        std::string heard;
        error_code sent = unset;
        it.others.spawn("receive", receive(&copy, &heard));
        it.others.spawn("send", send(&copy, large(), &sent));
        REQUIRE(it.until([&] { return copy.unsent() > 0; }));
        it.others.cancel_all();
        CHECK(it.until([&] { return it.others.empty(); }));
        CHECK(heard.empty());
        CHECK(sent == boost::asio::error::operation_aborted);
        CHECK(it.until([&] { return it.heard().size() > large().size() && copy.unsent() == 0; }));
        CHECK(copy.is_open());
        CHECK_FALSE(copy.post_text("after it"));
        CHECK(it.until([&] { return it.heard().ends_with("after it"); }));
    }

    TEST_CASE("copies are the same one") {
        served it(until_the_end);
        websocket moved = *it.host.kept;
        const websocket to = std::move(moved);
        CHECK(to == *it.host.kept);
        CHECK(to == moved);
        CHECK(moved.is_open());
        it.host.kept->close(4000, "enough");
        CHECK_FALSE(to.is_open());
        CHECK(it.until([&] { return it.heard().find("enough") != std::string::npos; }));
        served another(until_the_end);
        CHECK_FALSE(to == *another.host.kept);
    }
}

TEST_SUITE("what the client's close means") {
    TEST_CASE("nothing can be sent once it has arrived, also before it is received") {
        served it(until_the_end);
        websocket copy = *it.host.kept;
        it.send_frame(8, "\x03\xe8");
        REQUIRE(it.until([&] { return !copy.is_open(); }));
        CHECK(copy.post_text("late") == errc::websocket_closed);
        error_code sent = unset;
        it.others.spawn("send", send(&copy, "late", &sent));
        CHECK(it.until([&] { return it.others.empty() && it.group.empty(); }));
        CHECK(sent == errc::websocket_closed);
        CHECK(it.heard().find("late") == std::string::npos);
    }
}

TEST_SUITE("messages beside the client's close") {
    TEST_CASE("what was taken before it goes out, and nothing else is taken") {
        served it(answer_in_three);
        answers.clear();
        const std::string close_frame("\x88\x82\0\0\0\0\x03\xe8", 8);
        const std::string message("\x81\x81\0\0\0\0x", 7);
        it.send(message + message + close_frame);
        CHECK(it.until([&] { return it.heard().ends_with("\x88\x02\x03\xe8"); }));
        const std::string expected = "\x81\x03one\x81\x03two\x81\x05three";
        const auto taken = std::count(answers.begin(), answers.end(), error_code());
        CHECK(answers.size() == 6);
        CHECK(taken >= 3);
        CHECK(taken % 3 == 0);
        for (auto left = taken; left > 0; left -= 3) {
            REQUIRE(it.heard().starts_with(expected));
            it.forget_heard(expected.size());
        }
        CHECK(it.heard() == "\x88\x02\x03\xe8");
    }
}

TEST_SUITE("posting to many") {
    TEST_CASE("beyond the limit messages are dropped, what waits is sent") {
        served it(until_the_end);
        websocket copy = *it.host.kept;
        copy.limit_queue(1000, websocket::when_full::drop);
        CHECK_FALSE(copy.post_binary(large()));
        CHECK(copy.post_text("dropped") == errc::queue_full);
        CHECK(it.until([&] { return it.heard().size() > large().size() && copy.unsent() == 0; }));
        CHECK_FALSE(copy.post_text("again"));
        CHECK(it.until([&] { return it.heard().ends_with("again"); }));
        CHECK(it.heard().find("dropped") == std::string::npos);
    }

    TEST_CASE("beyond the limit a slow one is closed, and what waits is forgotten") {
        served it(until_the_end);
        websocket copy = *it.host.kept;
        copy.limit_queue(std::size_t{5} << 20);
        CHECK_FALSE(copy.post_binary(large()));
        CHECK_FALSE(copy.post_text("queued"));
        CHECK(copy.post_binary(large()) == errc::queue_full);
        CHECK_FALSE(copy.is_open());
        CHECK(copy.post_text("x") == errc::websocket_closed);
        CHECK(it.until([&] { return it.heard().ends_with("\x03\xf0too slow"); }));
        CHECK(it.heard().find("queued") == std::string::npos);
        CHECK(copy.unsent() == 0);
    }

    TEST_CASE("empty messages count too") {
        served it(until_the_end);
        websocket copy = *it.host.kept;
        copy.limit_queue(10'000, websocket::when_full::drop);
        int taken = 0;
        while (!copy.post_text("") && taken < 10'000) ++taken;
        CHECK(taken > 10);
        CHECK(taken < 1000);
    }
}
