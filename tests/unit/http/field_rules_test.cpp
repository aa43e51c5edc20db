// SPDX-License-Identifier: MIT
#include "http/field_rules.hpp"

#include "support/doctest.hpp"

#include <vector>

namespace {

using unicoro::http::field;
using unicoro::http::field_kind;
using unicoro::http::field_rules;
using unicoro::http::peer_trust;
using unicoro::http::policy;
using unicoro::http::refusal;
using unicoro::http::request_head;
using unicoro::http::version;
using verdict = field_rules::verdict;

}  // namespace

TEST_SUITE("field_rules") {
    TEST_CASE("begin forgets the request before") {
        const policy rules;
        field_rules fields(rules);
        refusal why;
        request_head head;
        fields.begin(version::http_1_1, peer_trust::untrusted);
        REQUIRE(fields.add(field_kind::host, "Host", "a", why) == verdict::keep);
        REQUIRE(fields.add(field_kind::connection, "Connection", "close", why) == verdict::keep);
        REQUIRE(fields.finish({}, head, why));
        CHECK(!head.keep_alive);
        fields.begin(version::http_1_1, peer_trust::untrusted);
        request_head next;
        CHECK(!fields.finish({}, next, why));
        CHECK(why.status == 400);
    }

    TEST_CASE("names with '_' by peer and header_map") {
        using unicoro::http::underscore_fields;
        struct row {
            underscore_fields map;
            std::vector<std::string> forwarder;
            peer_trust trust;
            verdict result;
        };
        const row rows[] = {
            {underscore_fields::drop, {}, peer_trust::trusted, verdict::drop},
            {underscore_fields::drop, {"X_A"}, peer_trust::trusted, verdict::keep},
            {underscore_fields::drop, {"x_a"}, peer_trust::trusted, verdict::keep},
            {underscore_fields::drop, {"X_B"}, peer_trust::trusted, verdict::drop},
            {underscore_fields::drop, {"*"}, peer_trust::trusted, verdict::keep},
            {underscore_fields::drop, {"X_A", "*"}, peer_trust::untrusted, verdict::drop},
            {underscore_fields::refuse, {"X_A"}, peer_trust::trusted, verdict::keep},
            {underscore_fields::refuse, {"X_A"}, peer_trust::untrusted, verdict::refused},
            {underscore_fields::refuse, {}, peer_trust::trusted, verdict::refused},
            {underscore_fields::dangerous, {}, peer_trust::untrusted, verdict::keep},
        };
        for (const row& r : rows) {
            policy rules;
            rules.header_map = r.map;
            rules.forwarder_headers = r.forwarder;
            field_rules fields(rules);
            refusal why;
            fields.begin(version::http_1_1, r.trust);
            CHECK(fields.add(field_kind::other, "X_A", "1", why) == r.result);
        }
    }

    TEST_CASE("a scheme header may have '_' in its name") {
        policy rules;
        rules.secure_scheme_headers = {{"X_SCHEME", "https"}};
        field_rules fields(rules);
        refusal why;
        request_head head;
        fields.begin(version::http_1_0, peer_trust::trusted);
        REQUIRE(fields.add(field_kind::other, "x_scheme", "https", why) == verdict::keep);
        REQUIRE(fields.finish({}, head, why));
        CHECK(head.scheme == "https");
        fields.begin(version::http_1_0, peer_trust::untrusted);
        CHECK(fields.add(field_kind::other, "x_scheme", "https", why) == verdict::drop);
    }
}
