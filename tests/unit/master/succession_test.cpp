// SPDX-License-Identifier: MIT
#include "master/succession.hpp"

#include "os/passed_text.hpp"

#include "support/doctest.hpp"
#include "support/os_fixtures.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>

using namespace unicoro::master;
namespace os = unicoro::os;
using os::testing::in_child;

namespace {

succession everything() {
    succession made;
    made.as = succession::role::successor;
    made.from = getpid();
    made.activated = true;
    succession::socket socket{7, {}, true};
    socket.asked.type = unicoro::settings::bind_address::kind::unix_path;
    socket.asked.path = "/run/a:1,2\nb.sock";
    socket.asked.text = "unix:/run/a:1,2\nb.sock";
    made.sockets = {{5, {.host = "::1", .port = 8000, .text = "[::1]:8000"}, false}, socket};
    made.workers = {{11, 8, instant(900), {}}, {12, 9, instant(901), instant(1000)}};
    made.pidfile = "/run/unicoro.pid";
    made.pidfile_fd = 10;
    made.configured_workers = 2;
    made.strength = 3;
    made.sockets.push_back({6, {.host = "127.0.0.1", .port = 9000, .text = "127.0.0.1:9000"}, false, true});
    made.counts.words.fill(77);
    made.counts.words.back() = 78;
    made.counts.happened.back() = 79;
    made.counts.cpu_of_ended = 80;
    made.counts.rows[0] = "/a b";
    return made;
}

// In a child with the text passed on under a number of its own.
int taking(const std::string& text, int (*check)(os::outcome<std::optional<succession>>&)) {
    return in_child([&] {
        auto memory = os::pass_text("test", text);
        if (!memory) return 97;
        setenv("UNICORO_SUCCESSION", std::to_string(memory->release()).c_str(), 1);
        auto taken = take_succession();
        if (std::getenv("UNICORO_SUCCESSION") != nullptr) return 96;
        return check(taken);
    });
}

}  // namespace

TEST_SUITE_BEGIN("succession");

TEST_CASE("what is written is read again") {
    const std::string text = write_succession(everything());
    const auto read = read_succession(text);
    REQUIRE(read.has_value());
    CHECK(write_succession(*read) == text);
    CHECK(read->sockets[1].asked.path == "/run/a:1,2\nb.sock");
    CHECK(read->workers[1].leaves_by == instant(1000));
    CHECK(read->descriptors() == std::vector{5, 7, 6, 8, 9, 10});
    CHECK(read->sockets[2].admin);
    CHECK_FALSE(read->sockets[1].admin);
    CHECK(read->counts.words.back() == 78);
    CHECK(read->counts.happened.back() == 79);
    CHECK(read->counts.cpu_of_ended == 80);
    CHECK(read->counts.rows[0] == "/a b");
}

TEST_CASE("what a later release adds is passed over") {
    const std::string text = write_succession(everything());
    CHECK(read_succession(text + "7:another1:13:abc").has_value());
}

TEST_CASE("anything else is none") {
    const std::string text = write_succession(everything());
    CHECK(!read_succession("").has_value());
    CHECK(!read_succession("20:unicoro succession 2").has_value());
    CHECK(!read_succession(text.substr(0, text.size() - 1)).has_value());
    CHECK(!read_succession("99999999999999999999:x").has_value());
}

TEST_CASE("a process takes what it was passed on, and that alone") {
    CHECK(taking("something", [](auto& taken) { return taken.has_error() ? 0 : 1; }) == 0);
    // `from` is this process, the parent of the one that takes: of a trial it is the right one.
    succession passed;
    passed.from = getpid();
    CHECK(taking(write_succession(passed), [](auto& taken) { return taken && *taken ? 0 : 1; }) == 0);
    passed.as = succession::role::successor;
    CHECK(taking(write_succession(passed), [](auto& taken) { return taken && !*taken ? 0 : 1; }) == 0);
    CHECK(in_child([] {
              setenv("UNICORO_SUCCESSION", "0", 1);
              const auto taken = take_succession();
              return taken && !*taken && fcntl(0, F_GETFD) >= 0 ? 0 : 1;
          }) == 0);
}

TEST_SUITE_END();
