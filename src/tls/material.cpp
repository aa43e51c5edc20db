// SPDX-License-Identifier: MIT
#include "tls/material.hpp"

#include "base/text.hpp"
#include "log/log.hpp"
#include "os/unique_fd.hpp"
#include "tls/certificate.hpp"

#include <openssl/rand.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace unicoro::tls {
namespace {

os::outcome<std::string> read_file(const std::string& path, std::string_view setting) {
    const std::string what = std::string(setting) + ": cannot read " + base::printable(path);
    // Not to be held up by a pipe that nobody writes to.
    const os::unique_fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file) return os::make_failure(os::last_error(), what);
    std::string text;
    std::array<char, 4096> piece{};
    for (;;) {
        const ssize_t got = read(file.get(), piece.data(), piece.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return os::make_failure(os::last_error(), what);
        if (got == 0) return text;
        text.append(piece.data(), static_cast<std::size_t>(got));
    }
}

std::string staple_file(const pair_files& of) {
    return of.certificate + ".ocsp";
}

// A client that is shown a bad one breaks off.
void take_staple(pem_pair& pair, std::string staple) {
    const std::string wrong = fault_in_staple(staple, pair.certificate);
    if (wrong.empty()) {
        pair.staple = std::move(staple);
    } else {
        log::warning("{}: {}; it is not stapled", base::printable(staple_file(pair.from)), wrong);
    }
}

}  // namespace

ticket_secret make_ticket_secret() {
    ticket_secret made{};
    // Without it tickets could be forged.
    if (RAND_bytes(made.data(), static_cast<int>(made.size())) != 1) {
        throw std::system_error(EIO, std::system_category(), "no random bytes for session tickets");
    }
    return made;
}

std::vector<std::string> files_of(const configuration& how) {
    std::vector<std::string> files;
    for (const pair_files& from : how.pairs) {
        files.push_back(from.certificate);
        if (from.key) files.push_back(*from.key);
        files.push_back(staple_file(from));
    }
    if (how.ca_certs) files.push_back(*how.ca_certs);
    return files;
}

os::outcome<material> read_material(const configuration& how, const ticket_secret& tickets) {
    material made;
    made.how = how;
    made.tickets = tickets;
    for (const pair_files& from : how.pairs) {
        pem_pair pair{from, {}, {}, {}};
        auto certificate = read_file(from.certificate, from.setting_of_certificate());
        if (!certificate) return certificate.error();
        auto key = read_file(from.key.value_or(from.certificate), from.setting_of_key());
        if (!key) return key.error();
        pair.certificate = std::move(*certificate);
        pair.key = std::move(*key);
        if (auto staple = read_file(staple_file(from), from.setting_of_certificate()))
            take_staple(pair, std::move(*staple));
        made.pairs.push_back(std::move(pair));
    }
    if (how.ca_certs) {
        auto authorities = read_file(*how.ca_certs, "ca_certs");
        if (!authorities) return authorities.error();
        made.client_authorities = std::move(*authorities);
    }
    return made;
}

}  // namespace unicoro::tls
