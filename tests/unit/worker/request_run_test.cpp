// SPDX-License-Identifier: MIT
// The life of a request on a connection without a socket, and what of it may be there when the next begins.
#include "support/doctest.hpp"
#include "unit/worker/memory_stream.hpp"
#include "unit/worker/messages.hpp"
#include "worker/handover.hpp"
#include "worker/http1_connection.hpp"
#include "worker/http1_exchange.hpp"
#include "worker/serving.hpp"
#include "worker/websocket_session.hpp"

#include <unicoro/sleep.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

using namespace std::chrono_literals;
using unicoro::awaitable;
using unicoro::app::connection_info;
using worker_test::body_of;
using worker_test::get;
using worker_test::memory_stream;
using worker_test::status_of;

namespace unicoro::http {

/// Fills what belongs to one request alone. A field that is added makes the bindings wrong: it does not
/// compile until it is filled, too.
struct fresh_request_probe {
    static void fill(http1_reader& reader) {
        auto& [pending, examined, received, body_done, continue_due] = reader.now_;
        pending = "left over";
        examined = received = 7;
        body_done = false;
        continue_due = true;
    }
    static bool is_fresh(const http1_reader& reader) { return reader.now_ == http1_reader::of_request(); }

    static void fill(http1_writer& writer) {
        auto& [plan, body_bytes, interim, begun, head_due, overran] = writer.now_;
        plan = {response_framing::chunked, 7, true};
        body_bytes = interim = 7;
        begun = head_due = overran = true;
        writer.out_ = "left over";
    }
    static bool is_fresh(const http1_writer& writer) {
        return writer.now_ == http1_writer::of_response() && writer.out_.empty();
    }
};

}  // namespace unicoro::http

namespace unicoro::worker {

struct fresh_request_probe {
    using http = unicoro::http::fresh_request_probe;

    static void fill(request_run& run) {
        auto& [started, body_sent, environ, in_kernel, waited_before, asked, entered, ledger_entry, row, first_byte, cpu_time, logged_status, rule, running, out_of_time, about_health, wait_measured] =
            run.now_;
        started = in_kernel = waited_before = asked = entered = first_byte = cpu_time = 7;
        rule = 7;
        body_sent = 7;
        environ.emplace_back("NAME", "left over");
        ledger_entry = 7;
        row = 7;
        logged_status = 777;
        running = out_of_time = about_health = wait_measured = true;
    }
    static void fill(http1_exchange& exchange) {
        fill(static_cast<request_run&>(exchange));
        http::fill(exchange.reader_);
        http::fill(exchange.writer_);
        auto& [body, unsent, unsent_body, stage, event_tail, event_stream, encoded_events, last_event, ended_for_it, body_failed, send_late, websocket_failed, websocket, handover] =
            exchange.now_;
        body = "left over";
        unsent.fill(iovec{body.data(), body.size()});
        unsent_body = body.size();
        stage = http1_exchange::phase::finished;
        event_tail = "over";
        event_stream = encoded_events = last_event = ended_for_it = true;
        body_failed = send_late = websocket_failed = true;
        websocket = nullptr;  // those two have tests of their own: they must not be seen to outlive it
        handover = nullptr;
        REQUIRE(!exchange.response().set_status(418, "Left over"));
        REQUIRE(!exchange.response().add("X-Left", "over"));
        REQUIRE(!exchange.response().add("Content-Length", "7"));
        REQUIRE(!exchange.response().add("Connection", "close"));
        exchange.is_at({"/left", "/left", "/over", 7, "/over"});
        exchange.runs_as(&where);
    }

    static void check_fresh(http1_exchange& exchange) {
        CHECK(exchange.request_run::now_ == request_run::of_request());
        CHECK(http::is_fresh(exchange.reader_));
        CHECK(http::is_fresh(exchange.writer_));
        const http1_exchange::of_request& now = exchange.now_;
        CHECK(now.body.empty());
        for (const iovec& each : now.unsent) CHECK(each.iov_len == 0);
        CHECK(now.unsent_body == 0);
        CHECK(now.stage == http1_exchange::phase::head);
        CHECK(now.event_tail.empty());
        CHECK_FALSE((now.event_stream || now.encoded_events || now.last_event || now.ended_for_it));
        CHECK_FALSE((now.body_failed || now.send_late || now.websocket_failed));
        CHECK(now.websocket == nullptr);
        CHECK(now.handover == nullptr);
        const unicoro::http::response_head& response = exchange.response();
        CHECK(response.status() == 200);
        CHECK(response.reason().empty());
        CHECK(response.field_count() == 0);
        CHECK_FALSE(response.content_length().has_value());
        CHECK_FALSE(response.close_requested());
        CHECK(exchange.where().script_name().empty());
        CHECK(exchange.where().path.empty());
        CHECK(exchange.running() == nullptr);
        CHECK_FALSE(exchange.head_sent());
    }

    struct nowhere final : app::running_request {
        std::string stack() const override { return "left over"; }
    };
    static inline nowhere where;
};

}  // namespace unicoro::worker

namespace {

class scripted_host final : public unicoro::app::host {
  public:
    std::string_view interface_name() const noexcept override { return "test"; }
    std::optional<unicoro::app::load_error> load(unicoro::app::worker_context&) override { return {}; }
    awaitable<std::optional<unicoro::app::load_error>> start(unicoro::app::worker_context&) override {
        co_return std::nullopt;
    }
    awaitable<void> handle(unicoro::app::exchange& exchange) override { return run(exchange); }
    awaitable<void> stop(unicoro::app::worker_context&) override { co_return; }

    std::function<awaitable<void>(unicoro::app::exchange&)> run;
};

/// A connection over a memory_stream, and the parts of a worker that it needs.
class wired {
  public:
    explicit wired(
        std::function<void(connection_info&)> tell = {},
        std::function<void(unicoro::settings::server_settings&)> change = {}
    )
        : settings_(changed(change)), board_(unicoro::scoreboard::table::create(1, 4).value()) {
        shared_.host = &host;
        auto stream = std::make_unique<memory_stream>(io, std::move(tell));
        wire = stream.get();
        connection_info info;
        info.remote_address = "192.0.2.7";
        auto made =
            std::make_unique<unicoro::worker::http1_connection>(shared_, std::move(stream), std::move(info));
        carried = made.get();
        group.spawn(std::move(made), carried->serve());
    }
    wired(const wired&) = delete;
    wired& operator=(const wired&) = delete;
    ~wired() {
        if (!group.empty()) wire->close();
        CHECK(until([this] { return group.empty(); }));
        io.run_for(1ms);
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
    [[nodiscard]] unicoro::worker::serving& shared() noexcept { return shared_; }

    boost::asio::io_context io{1};
    scripted_host host;
    unicoro::aio::task_group group{io};
    memory_stream* wire = nullptr;
    unicoro::worker::http1_connection* carried = nullptr;

  private:
    static unicoro::settings::server_settings changed(
        const std::function<void(unicoro::settings::server_settings&)>& change
    ) {
        unicoro::settings::server_settings values;
        if (change) change(values);
        return values;
    }
    static unicoro::scoreboard::table& opened(unicoro::scoreboard::table& board) {
        REQUIRE_FALSE(board.open(0, unicoro::scoreboard::worker_state::booting));
        return board;
    }

    unicoro::settings::server_settings settings_;
    unicoro::scoreboard::table board_;
    unicoro::worker::serving shared_{io, settings_, opened(board_), 0};
};

awaitable<void> answer(unicoro::app::exchange& exchange) {
    exchange.respond("ok");
    co_return;
}

/// Runs until its request is out of time, and has the connection cancelled at the same moment.
awaitable<void> cancel_late(unicoro::worker::http1_connection& connection, int& handled) {
    ++handled;
    try {
        co_await unicoro::sleep_for(1h);
    } catch (...) {
        connection.cancel();
        throw;
    }
}

/// Waits until it is cancelled, and says in which request that was.
awaitable<void> read_on(unicoro::app::exchange& exchange, std::string& ended_in) {
    ended_in = "begun";
    try {
        co_await unicoro::sleep_for(1h);
    } catch (...) {
        ended_in = exchange.head().path;
        throw;
    }
}

awaitable<void> wait_beside(unicoro::app::exchange& exchange, std::string& ended_in) {
    exchange.nursery().spawn("a read", read_on(exchange, ended_in));
    co_await unicoro::sleep_for(1h);
}

}  // namespace

TEST_SUITE("request_run") {
    TEST_CASE("nothing of a request is there when the next begins") {
        wired worker;
        unicoro::worker::http1_exchange exchange(worker.shared());
        exchange.attach(*worker.carried);
        unicoro::worker::fresh_request_probe::check_fresh(exchange);
        unicoro::worker::fresh_request_probe::fill(exchange);
        exchange.end_request();
        unicoro::worker::fresh_request_probe::check_fresh(exchange);
        exchange.detach();
    }

    TEST_CASE("one that is refused, and one that ends with its connection, leave nothing either") {
        wired worker;
        unicoro::worker::http1_exchange exchange(worker.shared());
        exchange.attach(*worker.carried);
        exchange.refuse(400, "no");
        unicoro::worker::fresh_request_probe::check_fresh(exchange);
        unicoro::worker::fresh_request_probe::fill(exchange);
        exchange.detach();
        exchange.attach(*worker.carried);
        unicoro::worker::fresh_request_probe::check_fresh(exchange);
        exchange.detach();
    }

    TEST_CASE("a connection that is told to end while a request runs out of time ends") {
        wired worker({}, [](auto& settings) { settings.request_timeout = 50ms; });
        int handled = 0;
        worker.host.run = [&](unicoro::app::exchange&) { return cancel_late(*worker.carried, handled); };
        worker.wire->client_sends(get("/a") + get("/b"));
        CHECK(worker.until([&] { return worker.group.empty(); }));
        CHECK(handled == 1);
    }

    TEST_CASE("what runs in its nursery ends before it, also where its connection is cancelled") {
        wired worker;
        std::string ended_in;
        worker.host.run = [&](unicoro::app::exchange& exchange) { return wait_beside(exchange, ended_in); };
        worker.wire->client_sends(get("/a"));
        CHECK(worker.until([&] { return ended_in == "begun"; }));
        worker.carried->cancel();
        CHECK(worker.until([&] { return worker.group.empty(); }));
        CHECK(ended_in == "/a");
    }

    TEST_CASE("one that runs out of time is answered, and the connection carries the next") {
        wired worker({}, [](auto& settings) { settings.request_timeout = 50ms; });
        worker.host.run = [](unicoro::app::exchange& exchange) -> awaitable<void> {
            if (exchange.head().path == "/slow") co_await unicoro::sleep_for(1h);
            exchange.respond("quick");
        };
        worker.wire->client_sends(get("/slow") + get("/b"));
        CHECK(worker.until([&] { return worker.wire->sent().find("quick") != std::string::npos; }));
        CHECK(status_of(worker.wire->sent()) == "504");
    }

    TEST_CASE("scheme and trust come from what the stream knows when the first request begins") {
        const std::string forwarded = "GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-Proto: https\r\n\r\n";
        const auto scheme = [](std::function<void(connection_info&)> tell, std::string_view request) {
            wired worker(std::move(tell), [](auto& settings) {
                settings.forwarded_allow_ips = {"10.0.0.1"};
            });
            std::string seen;
            worker.host.run = [&seen](unicoro::app::exchange& exchange) {
                seen = exchange.head().scheme;
                return answer(exchange);
            };
            worker.wire->client_sends(request);
            CHECK(worker.until([&] { return !seen.empty(); }));
            return seen;
        };
        const auto plain = [](connection_info&) {};
        const auto encrypted = [](connection_info& info) {
            auto facts = std::make_unique<unicoro::app::stream_facts>();
            facts->tls.emplace();
            info.stream = std::move(facts);
        };
        const auto by_proxy = [](connection_info& info) {
            auto facts = std::make_unique<unicoro::app::stream_facts>();
            facts->socket_peer = unicoro::app::endpoint{"10.0.0.1", 1};
            info.stream = std::move(facts);
        };
        CHECK(scheme(plain, get("/")) == "http");
        CHECK(scheme(plain, forwarded) == "http");
        CHECK(scheme(encrypted, get("/")) == "https");
        CHECK(scheme(by_proxy, forwarded) == "https");
    }
}
