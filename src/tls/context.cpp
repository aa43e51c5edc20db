// SPDX-License-Identifier: MIT
#include "tls/context.hpp"

#include "base/text.hpp"
#include "tls/certificate.hpp"
#include "tls/ticket_keys.hpp"

#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <list>
#include <string_view>
#include <utility>
#include <vector>

namespace unicoro::tls {

struct served_pair {
    certificate_handle leaf;
    int key_kind = 0;
    std::shared_ptr<const std::string> pem;
    std::string staple;
    std::int64_t staple_until = 0;  // 0 = for ever
};

/// For the same hosts: a certificate, or several with keys of different kinds.
struct served_hosts {
    const context_parts* owner = nullptr;
    context_handle context;
    std::string names;
    std::vector<served_pair> pairs;
};

struct context_parts {
    explicit context_parts(const ticket_secret& secret) : tickets(secret) {}

    std::list<served_hosts> hosts;  // OpenSSL keeps their addresses
    ticket_keys tickets;
    std::vector<unsigned char> protocols;  // as they stand on the wire
};

namespace {

int place_index() noexcept {
    static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return index;
}

const served_hosts& served_by(const SSL* session) noexcept {
    return *static_cast<const served_hosts*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(session), place_index()));
}

// The one that this session shows.
const served_pair* pair_of(const SSL* session) noexcept {
    const X509* const shown = SSL_get_certificate(session);
    const std::vector<served_pair>& pairs = served_by(session).pairs;
    const auto found =
        std::ranges::find_if(pairs, [shown](const served_pair& each) { return each.leaf.get() == shown; });
    return found == pairs.end() ? nullptr : &*found;
}

int choose_certificate(SSL* session, int*, void*) noexcept {
    const char* const name = SSL_get_servername(session, TLSEXT_NAMETYPE_host_name);
    std::string_view host = name != nullptr ? name : "";
    if (host.ends_with('.')) host.remove_suffix(1);
    if (host.empty()) return SSL_TLSEXT_ERR_NOACK;
    for (const served_hosts& each : served_by(session).owner->hosts) {
        X509* const leaf = each.pairs.front().leaf.get();
        if (X509_check_host(leaf, host.data(), host.size(), 0, nullptr) != 1) continue;
        SSL_set_SSL_CTX(session, each.context.get());
        return SSL_TLSEXT_ERR_OK;
    }
    // The first certificate, as of a server that knows no names: the client decides.
    return SSL_TLSEXT_ERR_NOACK;
}

int choose_protocol(SSL* session, const unsigned char** chosen, unsigned char* length, const unsigned char* offered, unsigned int size, void*) noexcept {
    const auto& ours = served_by(session).owner->protocols;
    unsigned char* match = nullptr;
    const int found = SSL_select_next_proto(
        &match, length, ours.data(), static_cast<unsigned int>(ours.size()), offered, size
    );
    *chosen = match;
    // RFC 7301, 3.2.
    return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

int add_staple(SSL* session, void*) noexcept {
    const served_pair* const pair = pair_of(session);
    if (pair == nullptr || pair->staple.empty()) return SSL_TLSEXT_ERR_NOACK;
    if (pair->staple_until != 0 && pair->staple_until < std::time(nullptr)) return SSL_TLSEXT_ERR_NOACK;
    void* const copy = OPENSSL_memdup(pair->staple.data(), pair->staple.size());
    if (copy == nullptr) return SSL_TLSEXT_ERR_NOACK;
    SSL_set_tlsext_status_ocsp_resp(session, copy, static_cast<long>(pair->staple.size()));
    return SSL_TLSEXT_ERR_OK;
}

int prepare_ticket(
    SSL* session,
    unsigned char* name,
    unsigned char* iv,
    EVP_CIPHER_CTX* cipher,
    EVP_MAC_CTX* mac,
    int encrypt
) noexcept {
    return served_by(session).owner->tickets.prepare(name, iv, cipher, mac, encrypt != 0);
}

os::failure refused(const std::string& what, const std::string& value) {
    return {os::system_error(EINVAL), what + ": " + base::printable(value) + ": " + last_reason()};
}

os::outcome<void> set_ciphers(SSL_CTX* made, const configuration& how) {
    if (how.ciphers && SSL_CTX_set_cipher_list(made, how.ciphers->c_str()) != 1) {
        return refused("ciphers", *how.ciphers);
    }
    if (how.ciphersuites && SSL_CTX_set_ciphersuites(made, how.ciphersuites->c_str()) != 1) {
        return refused("ciphersuites", *how.ciphersuites);
    }
    const int oldest = how.oldest == protocol_version::tls_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;
    SSL_CTX_set_min_proto_version(made, oldest);
    return {};
}

os::outcome<void> ask_for_certificate(SSL_CTX* made, const material& from) {
    if (from.how.from_client == client_certificate::none) return {};
    const auto authorities = read_certificates(from.client_authorities);
    if (authorities.empty()) {
        const std::string file = "ca_certs: " + base::printable(from.how.ca_certs.value_or(""));
        return os::failure{
            os::system_error(EINVAL),
            file + ": there is no certificate in it, or one that cannot be read (PEM is expected)"
        };
    }
    X509_STORE* const trusted = SSL_CTX_get_cert_store(made);
    for (const certificate_handle& each : authorities) {
        X509_STORE_add_cert(trusted, each.get());
        SSL_CTX_add_client_CA(made, each.get());
    }
    int mode = SSL_VERIFY_PEER;
    if (from.how.from_client == client_certificate::required) mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    SSL_CTX_set_verify(made, mode, nullptr);
    return {};
}

void set_habits(SSL_CTX* made) noexcept {
    SSL_CTX_set_options(
        made,
        SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
            SSL_OP_PRIORITIZE_CHACHA
    );
    // Idle connections keep no buffers. What could not be written may lie elsewhere at the next try.
    SSL_CTX_set_mode(
        made, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS
    );
    SSL_CTX_set_read_ahead(made, 1);
    SSL_CTX_set_session_cache_mode(made, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_timeout(made, std::chrono::duration_cast<std::chrono::seconds>(ticket_keys::life).count());
    SSL_CTX_set_tlsext_ticket_key_evp_cb(made, &prepare_ticket);
    SSL_CTX_set_tlsext_servername_callback(made, &choose_certificate);
    SSL_CTX_set_tlsext_status_cb(made, &add_staple);
    SSL_CTX_set_alpn_select_cb(made, &choose_protocol, nullptr);
}

// A session is resumed where clients are asked for the same, and the same authorities vouch for them.
bool set_session_context(SSL_CTX* made, const material& from) {
    const std::string asked =
        std::to_string(static_cast<int>(from.how.from_client)) + from.client_authorities;
    std::array<unsigned char, SHA256_DIGEST_LENGTH> id{};
    SHA256(reinterpret_cast<const unsigned char*>(asked.data()), asked.size(), id.data());
    return SSL_CTX_set_session_id_context(made, id.data(), static_cast<unsigned int>(id.size())) == 1;
}

os::outcome<void> use(SSL_CTX* made, const certificate& what, const pair_files& from) {
    STACK_OF(X509)* const chain = sk_X509_new_null();
    for (const certificate_handle& each : what.issuers) sk_X509_push(chain, each.get());
    const int used = SSL_CTX_use_cert_and_key(made, what.leaf.get(), what.key.get(), chain, 1);
    sk_X509_free(chain);
    if (used == 1) return {};
    return refused(std::string(from.setting_of_certificate()), from.certificate);
}

served_hosts* beside(context_parts& parts, const certificate& what) noexcept {
    for (served_hosts& each : parts.hosts) {
        const bool has_kind = std::ranges::any_of(each.pairs, [&what](const served_pair& pair) {
            return pair.key_kind == what.key_kind;
        });
        if (!what.names.empty() && each.names == what.names && !has_kind) return &each;
    }
    return nullptr;
}

os::outcome<void> add_pair(context_parts& parts, const pem_pair& pair, const material& from) {
    auto what = read_certificate(pair);
    if (!what) return what.error();
    served_hosts* hosts = beside(parts, *what);
    if (hosts == nullptr) {
        hosts = &parts.hosts.emplace_back();
        hosts->owner = &parts;
        hosts->context.reset(SSL_CTX_new(TLS_server_method()));
        hosts->names = what->names;
        SSL_CTX* const made = hosts->context.get();
        if (made == nullptr || !set_session_context(made, from)) {
            return os::failure{os::system_error(ENOMEM), last_reason()};
        }
        SSL_CTX_set_ex_data(made, place_index(), hosts);
        set_habits(made);
        if (const auto set = set_ciphers(made, from.how); !set) return set.error();
        if (const auto set = ask_for_certificate(made, from); !set) return set.error();
    }
    if (const auto used = use(hosts->context.get(), *what, pair.from); !used) return used.error();
    served_pair made;
    made.key_kind = what->key_kind;
    made.pem = std::make_shared<const std::string>(pem_of(what->leaf.get()));
    made.leaf = std::move(what->leaf);
    made.staple = pair.staple;
    made.staple_until = pair.staple.empty() ? 0 : end_of_staple(pair.staple);
    hosts->pairs.push_back(std::move(made));
    return {};
}

}  // namespace

std::string last_reason() {
    const unsigned long code = ERR_get_error();
    ERR_clear_error();
    const char* const text = code != 0 ? ERR_reason_error_string(code) : nullptr;
    return text != nullptr ? text : "unknown error";
}

os::outcome<std::shared_ptr<const context>> context::make(const material& from) {
    auto parts = std::make_unique<context_parts>(from.tickets);
    for (const std::string& each : from.how.protocols) {
        parts->protocols.push_back(static_cast<unsigned char>(each.size()));
        parts->protocols.insert(parts->protocols.end(), each.begin(), each.end());
    }
    for (const pem_pair& pair : from.pairs) {
        if (const auto added = add_pair(*parts, pair, from); !added) return added.error();
    }
    return std::make_shared<const context>(std::move(parts));
}

context::context(std::unique_ptr<context_parts> made) noexcept : parts_(std::move(made)) {}

context::~context() = default;

std::shared_ptr<const std::string> served_certificate(const SSL* session) noexcept {
    const served_pair* const pair = pair_of(session);
    return pair != nullptr ? pair->pem : nullptr;
}

SSL* context::start() const noexcept {
    return SSL_new(parts_->hosts.front().context.get());
}

}  // namespace unicoro::tls
