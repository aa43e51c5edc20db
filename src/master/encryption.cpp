// SPDX-License-Identifier: MIT
#include "master/encryption.hpp"

#include "log/log.hpp"
#include "os/passed_text.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

namespace unicoro::master {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::minutes between_attempts{1};

// As certbot names them in the folder of a certificate.
tls::pair_files files_of(const std::string& path) {
    std::error_code unknown;
    if (!fs::is_directory(path, unknown)) return {path, {}, true};
    return {(fs::path(path) / "fullchain.pem").string(), (fs::path(path) / "privkey.pem").string(), true};
}

tls::client_certificate asked_of_clients(int cert_reqs) noexcept {
    if (cert_reqs == 0) return tls::client_certificate::none;
    return cert_reqs == 1 ? tls::client_certificate::optional : tls::client_certificate::required;
}

// By the names that ALPN has for them (RFC 7301, 6).
std::vector<std::string> alpn_of(const std::vector<std::string>& protocols) {
    std::vector<std::string> made;
    made.reserve(protocols.size());
    for (const std::string& each : protocols) made.emplace_back(each == "h2" ? "h2" : "http/1.1");
    return made;
}

tls::configuration configuration_of(const settings::server_settings& all) {
    const settings::tls_settings& values = all.tls;
    tls::configuration made;
    made.pairs.push_back({*values.certfile, values.keyfile});
    for (const std::string& path : values.certificates) made.pairs.push_back(files_of(path));
    made.ca_certs = values.ca_certs;
    made.from_client = asked_of_clients(values.cert_reqs);
    made.ciphers = values.ciphers;
    made.ciphersuites = values.ciphersuites;
    made.oldest = values.tls_min_version == settings::tls_version::tls_1_3 ? tls::protocol_version::tls_1_3
                                                                           : tls::protocol_version::tls_1_2;
    made.protocols = alpn_of(all.http2.http_protocols);
    return made;
}

// One that is not there is told from one that is.
std::string stamp_of(const std::vector<std::string>& files) {
    std::string made;
    for (const std::string& path : files) {
        struct stat is{};
        if (stat(path.c_str(), &is) == 0) {
            made += fmt::format(
                "{}:{}:{}:{}.{}", is.st_dev, is.st_ino, is.st_size, is.st_mtim.tv_sec, is.st_mtim.tv_nsec
            );
        }
        made += '\n';
    }
    return made;
}

}  // namespace

os::outcome<certificate_set> encryption::open(const settings::server_settings& values) {
    if (!values.tls.certfile) return certificate_set{};
    if (!tickets_) tickets_ = tls::make_ticket_secret();
    const tls::configuration wanted = configuration_of(values);
    // Before they are read: what changes meanwhile is noticed.
    certificate_set made{nullptr, {}, stamp_of(tls::files_of(wanted))};
    const auto read = tls::read_material(wanted, *tickets_);
    if (!read) return read.error();
    auto served = tls::context::make(*read);
    if (!served) return served.error();
    made.served = std::move(*served);
    made.packed = tls::packed(*read);
    return made;
}

void renew_certificates(std::shared_ptr<const tls::context>& served, int file) {
    const auto made = tls::unpacked(os::read_text(file));
    auto fresh = made ? tls::context::make(*made) : made.error();
    if (fresh) {
        served = std::move(*fresh);
    } else {
        log::error("The former certificates stay in use: {}", fresh.error().message);
    }
}

std::optional<certificate_set> encryption::renewed(
    const settings::server_settings& values, const certificate_set& now
) {
    if (!now.served) return std::nullopt;
    const std::string stamp = stamp_of(tls::files_of(configuration_of(values)));
    const bool settled = stamp == std::exchange(changed_, stamp);
    const auto clock = std::chrono::steady_clock::now();
    if (!settled || stamp == now.stamp || (stamp == refused_ && clock < again_)) return std::nullopt;
    refused_ = stamp;
    again_ = clock + between_attempts;
    auto fresh = open(values);
    if (fresh) return std::move(*fresh);
    log::error("The certificates have changed, and the former ones stay in use: {}", fresh.error().message);
    return std::nullopt;
}

}  // namespace unicoro::master
