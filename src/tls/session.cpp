// SPDX-License-Identifier: MIT
#include "tls/session.hpp"

#include "tls/certificate.hpp"

#include <openssl/err.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <new>
#include <string_view>
#include <utility>

namespace unicoro::tls {
namespace {

session& session_of(BIO* of) noexcept {
    return *static_cast<session*>(BIO_get_data(of));
}

std::size_t length_of(int size) noexcept {
    return size > 0 ? static_cast<std::size_t>(size) : 0;
}

int write_to_transport(BIO* of, const char* data, int size) noexcept {
    return session_of(of).send({data, length_of(size)}, of);
}

int read_from_transport(BIO* of, char* into, int size) noexcept {
    return session_of(of).receive({into, length_of(size)}, of);
}

long control(BIO*, int command, long, void*) noexcept {
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

// More of them than any client has use for, each of which costs the server keys, and no time limit sees.
constexpr unsigned most_idle_messages = 32;

void note_message(int written, int, int type, const void*, std::size_t, SSL*, void* of) noexcept {
    if (written == 0 && type == SSL3_RT_HANDSHAKE) static_cast<session*>(of)->count_message();
}

// What a client may call a host: whatever else stands there would reach applications and logs.
std::string host_or_empty(const char* name) {
    const std::string_view text = name != nullptr ? name : "";
    const bool plain = std::ranges::all_of(text, [](char byte) {
        const char lower = static_cast<char>(byte | 0x20);
        return (lower >= 'a' && lower <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' ||
               byte == '_';
    });
    return plain ? std::string(text) : std::string();
}

int begin(BIO* of) noexcept {
    BIO_set_init(of, 1);
    return 1;
}

using method_handle = std::unique_ptr<BIO_METHOD, freed_by<&BIO_meth_free>>;

method_handle make_method() noexcept {
    method_handle made(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "unicoro transport"));
    if (!made) return made;
    BIO_meth_set_write(made.get(), &write_to_transport);
    BIO_meth_set_read(made.get(), &read_from_transport);
    BIO_meth_set_ctrl(made.get(), &control);
    BIO_meth_set_create(made.get(), &begin);
    return made;
}

const BIO_METHOD* transport_method() noexcept {
    static const method_handle method = make_method();
    return method.get();
}

int most(std::size_t size) noexcept {
    return static_cast<int>(std::min<std::size_t>(size, INT_MAX));
}

std::string text_or_empty(const char* text) {
    return text != nullptr ? text : "";
}

}  // namespace

session::session(std::shared_ptr<const context> with, transport& over)
    : with_(std::move(with)), over_(over), session_(with_->start()) {
    BIO* const carrier = session_ ? BIO_new(transport_method()) : nullptr;
    if (carrier == nullptr) throw std::bad_alloc();
    BIO_set_data(carrier, this);
    SSL_set_bio(session_.get(), carrier, carrier);
    SSL_set_accept_state(session_.get());
}

int session::receive(std::span<char> into, BIO* of) noexcept {
    BIO_clear_retry_flags(of);
    if (idle_messages_ > most_idle_messages) {
        transport_failed_ = error_code(EPROTO, boost::system::system_category());
        return -1;
    }
    const transport::step came = over_.receive(into);
    switch (came.what) {
        case transport::status::done: return most(came.bytes);
        case transport::status::would_block: BIO_set_retry_read(of); return -1;
        case transport::status::end: transport_ended_ = true; return 0;
        case transport::status::failed: break;
    }
    transport_failed_ = came.why;
    return -1;
}

int session::send(std::span<const char> bytes, BIO* of) noexcept {
    BIO_clear_retry_flags(of);
    const transport::step sent = over_.send(bytes);
    if (sent.what == transport::status::done) return most(sent.bytes);
    if (sent.what == transport::status::would_block) {
        BIO_set_retry_write(of);
    } else {
        transport_failed_ = sent.why;
    }
    return -1;
}

// OpenSSL's queue of errors is the thread's, and Python's TLS reads it, too.
session::step session::step_of(int returned) noexcept {
    if (returned > 0) return {status::done, static_cast<std::size_t>(returned)};
    const int error = SSL_get_error(session_.get(), returned);
    ERR_clear_error();
    switch (error) {
        case SSL_ERROR_WANT_READ: return {status::want_read};
        case SSL_ERROR_WANT_WRITE: return {status::want_write};
        case SSL_ERROR_ZERO_RETURN: return {status::end};
        default: break;
    }
    failed_ = true;
    // Clients that leave without a word are no news: HTTP knows itself where a message ends.
    if (transport_ended_) return {status::end};
    return {status::failed, 0, transport_failed_};
}

session::step session::fail(std::string why) noexcept {
    failed_ = true;
    reason_ = std::move(why);
    return {status::failed, 0, error_code(EPROTO, boost::system::system_category())};
}

void session::count_message() noexcept {
    ++idle_messages_;
}

void session::watch_messages() noexcept {
    SSL_set_msg_callback(session_.get(), &note_message);
    SSL_set_msg_callback_arg(session_.get(), this);
}

// A session that is resumed brings the certificate of the handshake that it was made in.
bool session::client_has_expired() const noexcept {
    X509* const shown = SSL_get0_peer_certificate(session_.get());
    return shown != nullptr && X509_cmp_current_time(X509_get0_notAfter(shown)) < 0;
}

session::step session::handshake() noexcept {
    ERR_clear_error();
    const int returned = SSL_do_handshake(session_.get());
    if (returned == 1) {
        if (client_has_expired()) return fail("the client's certificate has expired");
        exhausted_ = false;
        watch_messages();
        return {status::done};
    }
    const unsigned long error = ERR_peek_error();
    step result = step_of(returned);
    if (result.what == status::want_read || result.what == status::want_write) return result;
    const int code = ERR_GET_REASON(error);
    if (code == SSL_R_HTTP_REQUEST || code == SSL_R_HTTPS_PROXY_REQUEST) result.what = status::clear_text;
    const char* const text = error != 0 ? ERR_reason_error_string(error) : nullptr;
    reason_ = text != nullptr     ? text
              : transport_failed_ ? transport_failed_.message()
                                  : "the client has gone";
    return result;
}

agreement session::agreed() const {
    const SSL* const of = session_.get();
    agreement made;
    const unsigned char* protocol = nullptr;
    unsigned int length = 0;
    SSL_get0_alpn_selected(of, &protocol, &length);
    if (protocol != nullptr) made.protocol.assign(reinterpret_cast<const char*>(protocol), length);
    made.server_name = host_or_empty(SSL_get_servername(of, TLSEXT_NAMETYPE_host_name));
    made.version = text_or_empty(SSL_get_version(of));
    made.version_number = SSL_version(of);
    made.server_certificate = served_certificate(of);
    const SSL_CIPHER* const cipher = SSL_get_current_cipher(of);
    made.cipher = text_or_empty(SSL_CIPHER_get_name(cipher));
    made.cipher_id = cipher != nullptr ? SSL_CIPHER_get_protocol_id(cipher) : std::uint16_t{0};
    if (X509* const shown = SSL_get0_peer_certificate(of)) made.client = identity_of(shown);
    return made;
}

session::step session::read(std::span<char> into) noexcept {
    if (failed_) return {status::end};
    ERR_clear_error();
    const step result = step_of(SSL_read(session_.get(), into.data(), most(into.size())));
    exhausted_ = result.what != status::done;
    if (!exhausted_) idle_messages_ = 0;
    return result;
}

session::step session::write(std::span<const char> bytes) noexcept {
    if (failed_) return {status::failed, 0, transport_failed_};
    ERR_clear_error();
    const step result = step_of(SSL_write(session_.get(), bytes.data(), most(bytes.size())));
    // It is in the middle of a message that the client has begun, and whose end may never come.
    if (result.what == status::want_read) return fail("the client has split a handshake message");
    return result;
}

bool session::end_output() noexcept {
    if (failed_ || SSL_is_init_finished(session_.get()) != 1) return true;
    ERR_clear_error();
    const int returned = SSL_shutdown(session_.get());
    const bool blocked = returned < 0 && SSL_get_error(session_.get(), returned) == SSL_ERROR_WANT_WRITE;
    ERR_clear_error();
    return !blocked;
}

}  // namespace unicoro::tls
