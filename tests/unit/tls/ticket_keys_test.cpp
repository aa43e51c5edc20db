// SPDX-License-Identifier: MIT
#include "tls/ticket_keys.hpp"

#include "support/doctest.hpp"

namespace unicoro::tls {

TEST_SUITE_BEGIN("ticket_keys");

TEST_CASE("all who have the secret have the same keys") {
    const ticket_secret secret = make_ticket_secret();
    const ticket_keys ours(secret);
    const ticket_keys theirs(secret);
    const ticket_keys::key* const one = ours.current();
    REQUIRE(one != nullptr);
    const ticket_keys::found other = theirs.find(one->name.data());
    REQUIRE(other.with != nullptr);
    CHECK_FALSE(other.renew);
    CHECK(other.with->cipher == one->cipher);
    CHECK(other.with->mac == one->mac);
    CHECK(one->cipher != one->mac);
}

TEST_CASE("others do not know them") {
    const ticket_keys ours(make_ticket_secret());
    const ticket_keys others(make_ticket_secret());
    REQUIRE(ours.current() != nullptr);
    CHECK(others.find(ours.current()->name.data()).with == nullptr);
    CHECK(others.current()->name != ours.current()->name);
}

TEST_SUITE_END();

}  // namespace unicoro::tls
