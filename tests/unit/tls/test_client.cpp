// SPDX-License-Identifier: MIT
#include "unit/tls/test_client.hpp"

#include "tls/handles.hpp"

#include <array>

namespace unicoro::tls {

struct test_client::parts {
    context_handle context{SSL_CTX_new(TLS_client_method())};
    session_handle session{SSL_new(context.get())};
    BIO* in = BIO_new(BIO_s_mem());  // the session's
    BIO* out = BIO_new(BIO_s_mem());

    parts() {
        BIO_set_mem_eof_return(in, -1);
        SSL_set_bio(session.get(), in, out);
        SSL_set_connect_state(session.get());
    }
};

test_client::test_client() : parts_(std::make_unique<parts>()) {}
test_client::~test_client() = default;

std::string test_client::to_server() {
    std::string all;
    std::array<char, 4096> piece{};
    for (;;) {
        const int got = BIO_read(parts_->out, piece.data(), static_cast<int>(piece.size()));
        if (got <= 0) return all;
        all.append(piece.data(), static_cast<std::size_t>(got));
    }
}

void test_client::from_server(std::string_view bytes) {
    BIO_write(parts_->in, bytes.data(), static_cast<int>(bytes.size()));
}

bool test_client::shake_hands() {
    return SSL_do_handshake(parts_->session.get()) == 1;
}

void test_client::send(std::string_view text) {
    SSL_write(parts_->session.get(), text.data(), static_cast<int>(text.size()));
}

std::string test_client::received() {
    std::string all;
    std::array<char, 4096> piece{};
    for (;;) {
        const int got = SSL_read(parts_->session.get(), piece.data(), static_cast<int>(piece.size()));
        if (got <= 0) return all;
        all.append(piece.data(), static_cast<std::size_t>(got));
    }
}

}  // namespace unicoro::tls
