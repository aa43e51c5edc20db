// SPDX-License-Identifier: MIT
#include "os/thread_stack.hpp"
#include "os/elf_symbols.hpp"
#include "support/doctest.hpp"

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <string>
#include <thread>

using namespace std::chrono_literals;
using namespace unicoro::os;

namespace {

std::atomic<bool> spinning{false};
std::atomic<bool> enough{false};

[[gnu::noinline]] void spin_until_told() {
    spinning = true;
    while (!enough) std::this_thread::yield();
}

}  // namespace

TEST_SUITE("thread_stack") {
    TEST_CASE("a function that is not exported is named") {
        const code_place found = find_code(reinterpret_cast<std::uintptr_t>(&spin_until_told));
        CHECK(found.function == "(anonymous namespace)::spin_until_told()");
        CHECK(found.file.ends_with("/os_test"));
        CHECK(found.of_program);
        CHECK(found.offset != 0);
        CHECK(find_code(1).file.empty());
    }

    TEST_CASE("the calls of another thread") {
        const thread_stack own;
        std::string seen;
        enough = spinning = false;
        std::thread other([&] {
            while (!spinning) std::this_thread::yield();
            seen = own.take(10s);
            enough = true;
        });
        spin_until_told();
        other.join();
        CHECK(seen.find("(anonymous namespace)::spin_until_told() at ") != std::string::npos);
    }

    TEST_CASE("a thread that takes no signals tells nothing") {
        sigset_t all;
        sigset_t before;
        sigfillset(&all);
        const thread_stack own;
        pthread_sigmask(SIG_SETMASK, &all, &before);
        std::string seen = "unset";
        std::thread([&] { seen = own.take(20ms); }).join();
        pthread_sigmask(SIG_SETMASK, &before, nullptr);
        CHECK(seen.empty());
    }
}
