// SPDX-License-Identifier: MIT
#include "tls/session.hpp"

#include "unit/tls/test_certificate.hpp"

#include "support/doctest.hpp"

#include <openssl/err.h>

#include <algorithm>
#include <optional>
#include <string>

namespace unicoro::tls {
namespace {

using namespace std::string_view_literals;
using status = session::status;

/// A client in this process, and what carries the bytes between it and the server: so many at a time.
class peer final : public transport {
  public:
    explicit peer(std::size_t at_a_time) : at_a_time_(at_a_time), context_(SSL_CTX_new(TLS_client_method())) {
        session_.reset(SSL_new(context_.get()));
        in_ = BIO_new(BIO_s_mem());
        out_ = BIO_new(BIO_s_mem());
        BIO_set_mem_eof_return(in_, -1);
        SSL_set_bio(session_.get(), in_, out_);
        SSL_set_connect_state(session_.get());
    }

    SSL* of() noexcept { return session_.get(); }
    /// How many bytes the server may still send before it would block.
    std::optional<std::size_t> room;
    bool gone = false;

    step receive(std::span<char> into) noexcept override {
        const std::size_t most = std::min(into.size(), at_a_time_);
        const int got = BIO_read(out_, into.data(), static_cast<int>(most));
        if (got > 0) return {transport::status::done, static_cast<std::size_t>(got)};
        return {gone ? transport::status::end : transport::status::would_block};
    }

    step send(std::span<const char> bytes) noexcept override {
        const std::size_t most = std::min({bytes.size(), at_a_time_, room.value_or(bytes.size())});
        if (most == 0) return {transport::status::would_block};
        BIO_write(in_, bytes.data(), static_cast<int>(most));
        if (room) *room -= most;
        return {transport::status::done, most};
    }

    void put(std::string_view raw) { BIO_write(out_, raw.data(), static_cast<int>(raw.size())); }

    std::string read() {
        std::string all(100'000, '\0');
        const int got = SSL_read(of(), all.data(), static_cast<int>(all.size()));
        all.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
        return all;
    }

  private:
    std::size_t at_a_time_;
    context_handle context_;
    session_handle session_;
    BIO* in_ = nullptr;  // the session's
    BIO* out_ = nullptr;
};

std::shared_ptr<const context> serving() {
    auto made = context::make(make_material());
    REQUIRE(made.has_value());
    return *made;
}

session::step meet(session& server, peer& client) {
    for (int turn = 0; turn < 10'000; ++turn) {
        SSL_do_handshake(client.of());
        const session::step step = server.handshake();
        if (step.what != status::want_read && step.what != status::want_write) return step;
    }
    return {status::failed};
}

}  // namespace

TEST_SUITE_BEGIN("session");

TEST_CASE("a handshake, and bytes both ways") {
    for (const std::size_t at_a_time : {1U, 7U, 100'000U}) {
        CAPTURE(at_a_time);
        peer client(at_a_time);
        SSL_set_tlsext_host_name(client.of(), "localhost");
        constexpr unsigned char offered[] = "\x08http/1.1";
        SSL_set_alpn_protos(client.of(), offered, sizeof offered - 1);
        session server(serving(), client);
        REQUIRE(meet(server, client).what == status::done);
        const agreement agreed = server.agreed();
        CHECK(agreed.protocol == "http/1.1");
        CHECK(agreed.server_name == "localhost");
        CHECK(agreed.version == "TLSv1.3");
        CHECK(agreed.version_number == 0x0304);
        CHECK_FALSE(agreed.client);
        REQUIRE(agreed.server_certificate);
        CHECK(agreed.server_certificate->starts_with("-----BEGIN CERTIFICATE-----"));

        std::array<char, 64> into{};
        CHECK(server.read(into).what == status::want_read);
        CHECK_FALSE(server.holds_input());
        CHECK(SSL_write(client.of(), "hello", 5) == 5);
        session::step step = server.read(into);
        while (step.what == status::want_read) step = server.read(into);
        REQUIRE(step.what == status::done);
        CHECK(std::string(into.data(), step.bytes) == "hello");

        step = server.write(std::string_view("answer"));
        CHECK(step.what == status::done);
        CHECK(step.bytes == 6);
        CHECK(client.read() == "answer");
        server.end_output();
        CHECK(client.read().empty());
        CHECK(SSL_get_shutdown(client.of()) == SSL_RECEIVED_SHUTDOWN);
    }
}

TEST_CASE("what is left of a record is held") {
    peer client(100'000);
    session server(serving(), client);
    REQUIRE(meet(server, client).what == status::done);
    CHECK(SSL_write(client.of(), "0123456789", 10) == 10);
    std::array<char, 4> into{};
    CHECK(server.read(into).bytes == 4);
    CHECK(server.holds_input());
    CHECK(server.read(into).bytes == 4);
    CHECK(server.read(into).bytes == 2);
    CHECK(server.read(into).what == status::want_read);
    CHECK_FALSE(server.holds_input());
}

TEST_CASE("a client that takes nothing is waited for") {
    peer client(100'000);
    session server(serving(), client);
    REQUIRE(meet(server, client).what == status::done);
    CHECK(client.read().empty());
    const std::string body(40'000, 'x');
    client.room = 20'000;
    std::size_t sent = 0;
    session::step step = server.write(body);
    while (step.what == status::done && sent < body.size()) {
        sent += step.bytes;
        step = server.write(std::string_view(body).substr(sent));
    }
    REQUIRE(step.what == status::want_write);
    client.room.reset();
    // The same bytes from another place.
    const std::string copy = body.substr(sent);
    std::string_view left = copy;
    while (!left.empty()) {
        step = server.write(left);
        REQUIRE(step.what == status::done);
        left.remove_prefix(step.bytes);
    }
    std::string come;
    while (come.size() < body.size()) {
        const std::string piece = client.read();
        REQUIRE_FALSE(piece.empty());
        come += piece;
    }
    CHECK(come == body);
}

TEST_CASE("who speaks no TLS, or leaves") {
    SUBCASE("HTTP in clear text is told apart") {
        peer client(100'000);
        session server(serving(), client);
        client.put("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        CHECK(server.handshake().what == status::clear_text);
        CHECK(server.reason() == "http request");
    }
    SUBCASE("rubbish") {
        peer client(100'000);
        session server(serving(), client);
        client.put(std::string(200, '\0'));
        CHECK(server.handshake().what == status::failed);
        CHECK_FALSE(server.reason().empty());
        std::array<char, 4> into{};
        CHECK(server.read(into).what == status::end);
        CHECK(server.write(std::string_view("x")).what == status::failed);
    }
    SUBCASE("in the handshake") {
        peer client(100'000);
        session server(serving(), client);
        client.gone = true;
        CHECK(server.handshake().what == status::end);
        CHECK(server.reason() == "the client has gone");
    }
    SUBCASE("without a word, behind it") {
        peer client(100'000);
        session server(serving(), client);
        REQUIRE(meet(server, client).what == status::done);
        client.gone = true;
        std::array<char, 4> into{};
        CHECK(server.read(into).what == status::end);
    }
    SUBCASE("a protocol that is not ours") {
        peer client(100'000);
        constexpr unsigned char offered[] = "\x04spdy";
        SSL_set_alpn_protos(client.of(), offered, sizeof offered - 1);
        session server(serving(), client);
        CHECK(meet(server, client).what == status::failed);
    }
}

TEST_CASE("changes of keys without end") {
    peer client(100'000);
    session server(serving(), client);
    REQUIRE(meet(server, client).what == status::done);
    std::array<char, 16> into{};
    const auto change_keys = [&client](int times) {
        for (int i = 0; i < times; ++i) {
            SSL_key_update(client.of(), SSL_KEY_UPDATE_NOT_REQUESTED);
            SSL_do_handshake(client.of());
        }
    };
    for (int i = 0; i < 3; ++i) {
        change_keys(20);
        CHECK(SSL_write(client.of(), "x", 1) == 1);
        CHECK(server.read(into).what == status::done);
    }
    change_keys(40);
    CHECK(server.read(into).what == status::failed);
}

TEST_CASE("what fails leaves no error for others of the thread") {
    peer client(100'000);
    session server(serving(), client);
    REQUIRE(meet(server, client).what == status::done);
    client.put("\x17\x03\x03\x00\x18 this is no record of ours"sv);
    std::array<char, 16> into{};
    CHECK(server.read(into).what == status::failed);
    CHECK(ERR_peek_error() == 0);
}

TEST_SUITE_END();

}  // namespace unicoro::tls
