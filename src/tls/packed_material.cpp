// SPDX-License-Identifier: MIT
#include "tls/material.hpp"

#include <nlohmann/json.hpp>

#include <cerrno>
#include <cstdint>
#include <optional>

namespace unicoro::tls {

// As CBOR, whose texts may hold any bytes here: they are read by the same program.

static void to_json(nlohmann::json& to, const pem_pair& from) {
    to = {from.from.certificate, from.certificate, from.key, from.staple};
}

static void from_json(const nlohmann::json& from, pem_pair& to) {
    from.at(0).get_to(to.from.certificate);
    from.at(1).get_to(to.certificate);
    from.at(2).get_to(to.key);
    from.at(3).get_to(to.staple);
}

namespace {

std::optional<std::string> text_in(const nlohmann::json& from) {
    return from.is_null() ? std::nullopt : std::optional(from.get<std::string>());
}

nlohmann::json json_of(const std::optional<std::string>& text) {
    return text ? nlohmann::json(*text) : nlohmann::json();
}

}  // namespace

std::string packed(const material& what) {
    const configuration& how = what.how;
    const nlohmann::json made{
        {"pairs", what.pairs},
        {"client_authorities", what.client_authorities},
        {"tickets", what.tickets},
        {"ca_certs", json_of(how.ca_certs)},
        {"from_client", static_cast<int>(how.from_client)},
        {"ciphers", json_of(how.ciphers)},
        {"ciphersuites", json_of(how.ciphersuites)},
        {"oldest", static_cast<int>(how.oldest)},
        {"protocols", how.protocols},
    };
    std::string text;
    nlohmann::json::to_cbor(made, text);
    return text;
}

os::outcome<material> unpacked(std::string_view text) {
    try {
        const nlohmann::json from = nlohmann::json::from_cbor(text);
        material made;
        from.at("pairs").get_to(made.pairs);
        from.at("client_authorities").get_to(made.client_authorities);
        from.at("tickets").get_to(made.tickets);
        configuration& how = made.how;
        how.ca_certs = text_in(from.at("ca_certs"));
        how.from_client = static_cast<client_certificate>(from.at("from_client").get<std::uint8_t>());
        how.ciphers = text_in(from.at("ciphers"));
        how.ciphersuites = text_in(from.at("ciphersuites"));
        how.oldest = static_cast<protocol_version>(from.at("oldest").get<std::uint8_t>());
        from.at("protocols").get_to(how.protocols);
        for (const pem_pair& each : made.pairs) how.pairs.push_back(each.from);
        return made;
    } catch (const nlohmann::json::exception&) {
        return os::failure{os::system_error(EINVAL), "what was handed over are no certificates"};
    }
}

}  // namespace unicoro::tls
