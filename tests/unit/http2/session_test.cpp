// SPDX-License-Identifier: MIT
#include "http2/session.hpp"
#include "support/doctest.hpp"

#include <nghttp2/nghttp2.h>

#include <array>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace unicoro;
using http2::session;

class test_stream final : public http2::stream {
  public:
    using http2::stream::stream;
    std::size_t given_out = 0;
    unsigned notices = 0;

  private:
    void notice() noexcept override { ++notices; }
    void sent(std::size_t bytes) noexcept override { given_out += bytes; }
};

struct server final : http2::session_user {
    explicit server(const http::policy& rules = usual(), const http2::bounds& limits = {})
        : policy(rules),
          bounds(limits),
          own(*this, policy, limits, +[]() noexcept { return std::int64_t{1}; }) {}

    static const http::policy& usual() {
        static const http::policy made;
        return made;
    }

    http2::stream* begin_stream(std::int32_t id) override {
        if (refuses) return nullptr;
        streams.push_back(std::make_unique<test_stream>(id, policy, bounds.max_header_list_size));
        return streams.back().get();
    }
    void head_came(http2::stream& which) override { come.push_back(&which); }
    void drop(http2::stream&) noexcept override { ++dropped; }
    void end_announced() noexcept override { heard = true; }

    http::policy policy;
    http2::bounds bounds;
    std::vector<std::unique_ptr<test_stream>> streams;
    std::vector<http2::stream*> come;
    unsigned dropped = 0;
    bool heard = false;
    bool refuses = false;
    session own;
};

using fields = std::vector<std::pair<std::string, std::string>>;

fields asked(const fields& more = {}) {
    fields made{{":method", "POST"}, {":scheme", "http"}, {":path", "/a?b"}, {":authority", "example.org"}};
    made.insert(made.end(), more.begin(), more.end());
    return made;
}

/// nghttp2's own client.
class client {
  public:
    client() {
        nghttp2_session_callbacks* calls = nullptr;
        nghttp2_session_callbacks_new(&calls);
        nghttp2_session_callbacks_set_on_header_callback(calls, &on_header);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(calls, &on_data);
        nghttp2_session_callbacks_set_on_stream_close_callback(calls, &on_close);
        nghttp2_session_callbacks_set_on_frame_recv_callback(calls, &on_frame);
        // So that what is wrong can be sent.
        nghttp2_option* how = nullptr;
        nghttp2_option_new(&how);
        nghttp2_option_set_no_http_messaging(how, 1);
        nghttp2_session_client_new2(&native_, calls, this, how);
        nghttp2_option_del(how);
        nghttp2_session_callbacks_del(calls);
        nghttp2_submit_settings(native_, NGHTTP2_FLAG_NONE, nullptr, 0);
    }
    client(const client&) = delete;
    client& operator=(const client&) = delete;
    ~client() { nghttp2_session_del(native_); }

    std::int32_t ask(const fields& what, std::string body = {}) {
        body_ = std::move(body);
        std::vector<nghttp2_nv> list;
        for (const auto& [name, value] : what) {
            const auto bytes = [](const std::string& text) {
                return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
            };
            list.push_back({bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
        }
        nghttp2_data_provider from{};
        from.read_callback = &read_body;
        return nghttp2_submit_request(
            native_, nullptr, list.data(), list.size(), body_.empty() ? nullptr : &from, this
        );
    }

    /// Everything both have to say. False once the server wants no more.
    bool talk(server& with) {
        for (int round = 0; round < 100; ++round) {
            std::string said;
            for (;;) {
                const std::uint8_t* bytes = nullptr;
                const ssize_t size = nghttp2_session_mem_send(native_, &bytes);
                if (size <= 0) break;
                said.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
            }
            if (!said.empty() && !with.own.receive(said)) return false;
            std::string answer;
            with.own.output(answer, 1U << 20U);
            if (said.empty() && answer.empty()) return true;
            nghttp2_session_mem_recv(
                native_, reinterpret_cast<const std::uint8_t*>(answer.data()), answer.size()
            );
        }
        return true;
    }

    nghttp2_session* native() { return native_; }

    fields headers;
    std::string data;
    std::vector<std::uint32_t> closed;
    std::vector<std::int32_t> goaways;

  private:
    static client& of(void* self) { return *static_cast<client*>(self); }

    static int on_header(
        nghttp2_session*,
        const nghttp2_frame*,
        const std::uint8_t* name,
        std::size_t name_size,
        const std::uint8_t* value,
        std::size_t value_size,
        std::uint8_t,
        void* self
    ) {
        of(self).headers.emplace_back(
            std::string(reinterpret_cast<const char*>(name), name_size),
            std::string(reinterpret_cast<const char*>(value), value_size)
        );
        return 0;
    }
    static int on_data(
        nghttp2_session*, std::uint8_t, std::int32_t, const std::uint8_t* bytes, std::size_t size, void* self
    ) {
        of(self).data.append(reinterpret_cast<const char*>(bytes), size);
        return 0;
    }
    static int on_close(nghttp2_session*, std::int32_t, std::uint32_t why, void* self) {
        of(self).closed.push_back(why);
        return 0;
    }
    static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* self) {
        if (frame->hd.type == NGHTTP2_GOAWAY) of(self).goaways.push_back(frame->goaway.last_stream_id);
        return 0;
    }
    static ssize_t read_body(
        nghttp2_session*,
        std::int32_t,
        std::uint8_t* into,
        std::size_t most,
        std::uint32_t* flags,
        nghttp2_data_source*,
        void* self
    ) {
        std::string& body = of(self).body_;
        const std::size_t count = std::min(most, body.size());
        std::memcpy(into, body.data(), count);
        body.erase(0, count);
        if (body.empty()) *flags |= NGHTTP2_DATA_FLAG_EOF;
        return static_cast<ssize_t>(count);
    }

    nghttp2_session* native_ = nullptr;
    std::string body_;
};

std::string taken(server& from, http2::stream& of) {
    std::string all(of.input_size(), '\0');
    all.resize(from.own.take(of, all));
    return all;
}

}  // namespace

TEST_SUITE("http2 session") {
    TEST_CASE("a request and its response") {
        server its;
        client some;
        some.ask(asked({{"x-a", "b"}, {"cookie", "c=1"}, {"cookie", "d=2"}}), "body");
        CHECK(some.talk(its));
        REQUIRE(its.come.size() == 1);
        http2::stream& which = *its.come.front();
        CHECK(!which.refused());
        const http::request_head& head = which.request().head();
        CHECK(head.method == "POST");
        CHECK(head.target == "/a?b");
        CHECK(head.path == "/a");
        CHECK(head.authority == "example.org");
        CHECK(head.find("Host") == "example.org");
        CHECK(head.find("Cookie") == "c=1; d=2");
        CHECK(head.protocol() == "HTTP/2");
        CHECK(head.framing == http::body_framing::chunked);
        CHECK(which.input_ended());
        CHECK(taken(its, which) == "body");
        http::response_head answer;
        CHECK(!answer.add("X-Some", "Thing"));
        its.own.begin_response(which, {&answer, "me", "now", 5}, session::body::follows);
        its.own.give(which, "hello");
        its.own.end(which);
        CHECK(some.talk(its));
        CHECK(
            some.headers ==
            fields{
                {":status", "200"},
                {"server", "me"},
                {"date", "now"},
                {"x-some", "Thing"},
                {"content-length", "5"}
            }
        );
        CHECK(some.data == "hello");
        CHECK(which.output_sent());
        CHECK(which.closed());
        CHECK(some.closed == std::vector<std::uint32_t>{0});
    }

    TEST_CASE("a body that is not taken holds its client") {
        server its;
        client some;
        some.ask(asked(), std::string(200'000, 'b'));
        some.talk(its);
        http2::stream& which = *its.come.front();
        CHECK(which.input_size() == 65535);
        std::string all;
        while (!which.input_ended() || which.input_size() > 0) {
            all += taken(its, which);
            some.talk(its);
        }
        CHECK(all.size() == 200'000);
        its.own.forget(which);
    }

    TEST_CASE("what is malformed comes to nobody") {
        for (const fields& wrong : {
                 asked({{"connection", "close"}}),
                 asked({{"te", "gzip"}}),
                 asked({{"x-a", "b\r\nc"}}),
                 fields{{":method", "GET"}},
             }) {
            server its;
            client some;
            some.ask(wrong);
            CHECK(some.talk(its));
            CHECK(its.come.empty());
            CHECK(its.dropped == 1);
            CHECK(some.closed == std::vector<std::uint32_t>{NGHTTP2_PROTOCOL_ERROR});
        }
    }

    TEST_CASE("an extended CONNECT comes whole, and where it is announced") {
        const fields whole{
            {":method", "CONNECT"},
            {":protocol", "websocket"},
            {":scheme", "https"},
            {":path", "/chat"},
            {":authority", "example.org"}
        };
        http2::bounds announced;
        announced.websockets = true;
        server its(server::usual(), announced);
        client some;
        some.ask(whole, "frames");
        CHECK(some.talk(its));
        REQUIRE(its.come.size() == 1);
        CHECK(!its.come.front()->refused());
        CHECK(taken(its, *its.come.front()) == "frames");
        its.own.forget(*its.come.front());
        for (std::size_t missing = 2; missing < whole.size(); ++missing) {
            fields wrong = whole;
            wrong.erase(wrong.begin() + static_cast<std::ptrdiff_t>(missing));
            client careless;
            server strict(server::usual(), announced);
            careless.ask(wrong);
            CHECK(careless.talk(strict));
            CHECK(careless.closed == std::vector<std::uint32_t>{NGHTTP2_PROTOCOL_ERROR});
        }
        server without;
        client hasty;
        hasty.ask(whole);
        CHECK(hasty.talk(without));
        CHECK(without.come.empty());
        CHECK(hasty.closed == std::vector<std::uint32_t>{NGHTTP2_PROTOCOL_ERROR});
    }

    TEST_CASE("a request that the user does not take") {
        server its;
        its.refuses = true;
        client some;
        some.ask(asked(), "body");
        CHECK(some.talk(its));
        CHECK(some.closed == std::vector<std::uint32_t>{NGHTTP2_REFUSED_STREAM});
    }

    TEST_CASE("one that was reset is closed at once, and its body is not waited for") {
        server its;
        client some;
        some.ask(asked(), std::string(100'000, 'b'));
        some.talk(its);
        its.own.reset(*its.come.front(), http2::error::cancel);
        CHECK(its.come.front()->closed());
        CHECK(its.come.front()->input_size() == 0);
        some.talk(its);
        CHECK(some.closed == std::vector<std::uint32_t>{NGHTTP2_CANCEL});
        // The window of the connection is whole again.
        its.come.clear();
        some.ask(asked(), std::string(65'535, 'b'));
        some.talk(its);
        CHECK(its.come.front()->input_size() == 65'535);
        its.own.forget(*its.come.front());
    }

    TEST_CASE("an end in two steps") {
        server its;
        client some;
        some.ask(asked());
        some.talk(its);
        its.own.announce_end();
        CHECK(some.talk(its));
        CHECK(its.heard);
        CHECK(some.goaways == std::vector<std::int32_t>{INT32_MAX});
        its.own.end();
        CHECK(some.talk(its));
        CHECK(some.goaways == std::vector<std::int32_t>{INT32_MAX, 1});
        CHECK(!its.own.over());
        its.own.forget(*its.come.front());
        some.talk(its);
        CHECK(its.own.over());
    }

    TEST_CASE("what is no HTTP/2") {
        server its;
        CHECK(!its.own.receive("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
        CHECK(!its.own.met());
        CHECK(!its.own.complaint().empty());
        std::string said;
        its.own.output(said, 1000);
        CHECK(said.find('\x07', 9) != std::string::npos);
    }

    TEST_CASE("PINGs without an end") {
        server its;
        client some;
        CHECK(some.talk(its));
        for (int i = 0; i < 200; ++i) nghttp2_submit_ping(some.native(), NGHTTP2_FLAG_NONE, nullptr);
        CHECK(!some.talk(its));
        CHECK(its.own.complaint().find("PING") != std::string::npos);
    }

    TEST_CASE("a head beyond its limits") {
        http::policy rules;
        rules.limit_request_fields = 3;
        server its(rules);
        client some;
        some.ask(asked({{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}}));
        some.talk(its);
        REQUIRE(its.come.size() == 1);
        CHECK(its.come.front()->refused());
        CHECK(its.come.front()->request().refused_because().status == 431);
        its.own.forget(*its.come.front());
    }
}
