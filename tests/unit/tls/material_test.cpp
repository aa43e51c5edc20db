// SPDX-License-Identifier: MIT
#include "tls/certificate.hpp"
#include "tls/context.hpp"
#include "unit/tls/test_certificate.hpp"

#include "support/doctest.hpp"

namespace unicoro::tls {
namespace {

std::string refusal_of(const material& what) {
    const auto made = context::make(what);
    return made ? std::string() : made.error().message;
}

}  // namespace

TEST_SUITE_BEGIN("material");

TEST_CASE("what is packed is the same when it is unpacked") {
    material sent = make_material();
    sent.how.ca_certs = "authorities.pem";
    sent.how.from_client = client_certificate::required;
    sent.how.ciphersuites = "TLS_AES_128_GCM_SHA256";
    sent.how.oldest = protocol_version::tls_1_3;
    sent.client_authorities = "\xff\0 no text";
    sent.pairs.front().staple = std::string("\x30\x00\xff", 3);
    const auto come = unpacked(packed(sent));
    REQUIRE(come.has_value());
    CHECK(come->pairs.front().certificate == sent.pairs.front().certificate);
    CHECK(come->pairs.front().key == sent.pairs.front().key);
    CHECK(come->pairs.front().staple == sent.pairs.front().staple);
    CHECK(come->pairs.front().from.certificate == "site.pem");
    CHECK(come->client_authorities == sent.client_authorities);
    CHECK(come->tickets == sent.tickets);
    CHECK(come->how.ca_certs == sent.how.ca_certs);
    CHECK(come->how.from_client == client_certificate::required);
    CHECK_FALSE(come->how.ciphers);
    CHECK(come->how.ciphersuites == sent.how.ciphersuites);
    CHECK(come->how.oldest == protocol_version::tls_1_3);
    CHECK(come->how.protocols == sent.how.protocols);
    CHECK(come->how.pairs.size() == 1);
}

TEST_CASE("what was never packed is refused") {
    for (const char* wrong : {"", "{}", "\xa1\x61\x61\x01", "rubbish"}) {
        CAPTURE(wrong);
        CHECK_FALSE(unpacked(wrong).has_value());
    }
}

TEST_CASE("a pair that cannot be served is refused with its file and the reason") {
    material what = make_material();
    CHECK(refusal_of(what).empty());
    what.pairs = {make_pair(-1000, -10)};
    CHECK(refusal_of(what).starts_with("certfile: site.pem: the certificate expired on "));
    what.pairs = {make_pair(100, 1000)};
    CHECK(refusal_of(what).starts_with("certfile: site.pem: the certificate is not valid before "));
    what.pairs = {make_pair()};
    what.pairs.front().key = make_pair().key;
    CHECK(refusal_of(what) == "keyfile: site.key: the key does not belong to the certificate in site.pem");
    what.pairs.front().key = "nothing";
    CHECK(refusal_of(what) == "keyfile: site.key: there is no private key in it (PEM is expected)");
    what.pairs.front().certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    CHECK(refusal_of(what).starts_with(
        "certfile: site.pem: there is no certificate in it, or one that cannot be read"
    ));
}

TEST_CASE("ciphers that nobody knows are refused by their setting's name") {
    material what = make_material();
    what.how.ciphers = "NO-SUCH";
    CHECK(refusal_of(what).starts_with("ciphers: NO-SUCH: "));
    what.how.ciphers.reset();
    what.how.ciphersuites = "TLS_NOTHING";
    CHECK(refusal_of(what).starts_with("ciphersuites: TLS_NOTHING: "));
}

TEST_CASE("authorities of clients must be certificates") {
    material what = make_material();
    what.how.from_client = client_certificate::optional;
    what.how.ca_certs = "none.pem";
    CHECK(refusal_of(what).starts_with("ca_certs: none.pem: there is no certificate in it"));
    what.client_authorities = make_pair().certificate;
    CHECK(refusal_of(what).empty());
}

TEST_CASE("files that renewals are looked for in") {
    configuration how;
    how.pairs = {{"a.pem", "a.key"}, {"b.pem", std::nullopt, true}};
    how.ca_certs = "c.pem";
    CHECK(
        files_of(how) ==
        std::vector<std::string>{"a.pem", "a.key", "a.pem.ocsp", "b.pem", "b.pem.ocsp", "c.pem"}
    );
    const auto none = read_material(how, make_ticket_secret());
    REQUIRE_FALSE(none.has_value());
    CHECK(none.error().message == "certfile: cannot read a.pem: No such file or directory");
}

TEST_CASE("who a certificate belongs to") {
    const auto shown = read_certificates(make_pair().certificate);
    REQUIRE(shown.size() == 1);
    const client_identity client = identity_of(shown.front().get());
    CHECK(client.subject == "CN=localhost");
    CHECK(client.issuer == "CN=localhost");
    CHECK(client.serial == "07");
    CHECK(client.certificate.starts_with("-----BEGIN CERTIFICATE-----\n"));
    CHECK(client.valid_from.ends_with(" GMT"));
}

TEST_SUITE_END();

}  // namespace unicoro::tls
