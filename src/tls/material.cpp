// SPDX-License-Identifier: MIT
#include "tls/material.hpp"

#include "base/text.hpp"

#include <openssl/rand.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>

namespace unicoro::tls {
namespace {

os::outcome<std::string> read_file(const std::string& path) {
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    std::string text;
    if (file) text.assign(std::istreambuf_iterator<char>(file), {});
    if (!file || file.bad()) {
        const error_code why = errno != 0 ? os::last_error() : os::system_error(EIO);
        return os::make_failure(why, "cannot read " + base::printable(path));
    }
    return text;
}

std::string staple_file(const pair_files& of) {
    return of.certificate + ".ocsp";
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
        auto certificate = read_file(from.certificate);
        if (!certificate) return certificate.error();
        auto key = read_file(from.key.value_or(from.certificate));
        if (!key) return key.error();
        pair.certificate = std::move(*certificate);
        pair.key = std::move(*key);
        if (auto staple = read_file(staple_file(from))) pair.staple = std::move(*staple);
        made.pairs.push_back(std::move(pair));
    }
    if (how.ca_certs) {
        auto authorities = read_file(*how.ca_certs);
        if (!authorities) return authorities.error();
        made.client_authorities = std::move(*authorities);
    }
    return made;
}

}  // namespace unicoro::tls
