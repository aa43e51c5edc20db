// SPDX-License-Identifier: MIT
#include "aio/recycled.hpp"
#include "support/doctest.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <vector>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

namespace {

struct base {
    virtual ~base() = default;
};

struct block : base, unicoro::aio::recycled<block> {
    std::array<std::byte, 200> bytes{};
};

struct larger_block : block {
    std::array<std::byte, 200> more{};
};

}  // namespace

TEST_CASE("memory of an object that is gone serves the next one of its class") {
    const std::unique_ptr<base> other = std::make_unique<block>();
    std::unique_ptr<base> one = std::make_unique<block>();
    const void* const place = one.get();
    one.reset();
    // Of another size: neither takes that memory nor gives its own.
    std::unique_ptr<base> larger = std::make_unique<larger_block>();
    CHECK(larger.get() != place);
    larger.reset();
    one = std::make_unique<block>();
    CHECK(one.get() == place);
    CHECK(one != other);
}

TEST_CASE("more objects than are kept are all different ones") {
    std::vector<std::unique_ptr<block>> all;
    for (int turn = 0; turn < 3; ++turn) {
        std::set<const block*> places;
        for (std::uint8_t made = 0; made < 200; ++made) {
            all.push_back(std::make_unique<block>());
            all.back()->bytes.fill(std::byte{made});
            places.insert(all.back().get());
        }
        CHECK(places.size() == 200);
        std::uint8_t wanted = 0;
        for (const auto& each : all) CHECK(each->bytes.back() == std::byte{wanted++});
        all.clear();
    }
}

#ifdef __SANITIZE_ADDRESS__
TEST_CASE("memory that is kept belongs to nobody") {
    std::unique_ptr<block> one = std::make_unique<block>();
    const void* const place = one.get();
    CHECK(__asan_address_is_poisoned(place) == 0);
    one.reset();
    CHECK(__asan_address_is_poisoned(place) == 1);
    one = std::make_unique<block>();
    CHECK(__asan_address_is_poisoned(place) == 0);
}
#endif
