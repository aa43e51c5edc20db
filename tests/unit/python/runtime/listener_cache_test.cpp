// SPDX-License-Identifier: MIT
#include "python/runtime/listener_cache.hpp"

#include "python/runtime/gil.hpp"
#include "support/doctest.hpp"
#include "unit/python/hosted.hpp"

#include <cstdint>

using unicoro::python::gil_lock;
using unicoro::python::listener_cache;

namespace {

unicoro::app::connection_info at(const char* address, int port) {
    unicoro::app::connection_info info;
    info.local_address = address;
    info.local_port = static_cast<std::uint16_t>(port);
    return info;
}

}  // namespace

TEST_SUITE("listener cache") {
    TEST_CASE("an object for each address and port") {
        unicoro::testing::the_host();
        const gil_lock gil;
        listener_cache cache;
        CHECK(cache.find(at("::1", 80)) == nullptr);
        cache.keep(at("::1", 80), Py_True);
        cache.keep(at("::1", 81), Py_False);
        cache.keep(at("127.0.0.1", 80), Py_None);
        CHECK(cache.find(at("::1", 80)) == Py_True);
        CHECK(cache.find(at("::1", 81)) == Py_False);
        CHECK(cache.find(at("127.0.0.1", 80)) == Py_None);
        CHECK(cache.find(at("127.0.0.1", 81)) == nullptr);
    }

    TEST_CASE("as many as fit") {
        unicoro::testing::the_host();
        const gil_lock gil;
        listener_cache cache;
        for (int port = 1; port <= 100; ++port) cache.keep(at("", port), Py_True);
        CHECK(cache.find(at("", 1)) == Py_True);
        CHECK(cache.find(at("", 64)) == Py_True);
        CHECK(cache.find(at("", 65)) == nullptr);
    }
}
