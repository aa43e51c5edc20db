// SPDX-License-Identifier: MIT
#include "cli/commands/act.hpp"
#include "cli/commands/admin_address.hpp"
#include "cli/commands/arguments.hpp"
#include "cli/commands/http_get.hpp"
#include "cli/commands/processes.hpp"
#include "cli/commands/stacks_view.hpp"
#include "cli/commands/text_table.hpp"
#include "cli/commands/top_frame.hpp"
#include "cli/commands/views.hpp"
#include "settings/bind_address.hpp"
#include "support/doctest.hpp"

#include <algorithm>
#include <string>
#include <vector>

using namespace unicoro::cli;
namespace settings = unicoro::settings;

namespace {

command_call call_of(const std::string& name, const std::vector<std::string>& words) {
    const settings::command* const which = settings::find_command(name);
    REQUIRE(which != nullptr);
    return read_call(*which, words);
}

std::string problem_of(const std::string& name, const std::vector<std::string>& words) {
    const command_call call = call_of(name, words);
    return call.problems.empty() ? "(none)" : call.problems.front();
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

std::string joined(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    return text;
}

top_look look_with(double requests, double cpu, int seconds) {
    top_look made;
    made.at = std::chrono::steady_clock::time_point(std::chrono::seconds(seconds));
    made.server.master = 7;
    made.server.requests = requests;
    made.server.workers.push_back(
        {.pid = 8, .state = "ready", .age = 1.0 + seconds, .cpu = cpu, .memory = 2048}
    );
    made.server.workers.push_back({.pid = 9, .state = "ready", .age = 1.0 + seconds, .cpu = 1, .memory = 4096}
    );
    return made;
}

}  // namespace

TEST_SUITE("commands") {
    TEST_CASE("their arguments") {
        const command_call call =
            call_of("top", {"--admin=unix:/a b", "--sort", "cpu", "--interval", "0.5", "--count=3"});
        CHECK(call.problems.empty());
        CHECK(call.admin == "unix:/a b");
        CHECK(call.sort == "cpu");
        CHECK(call.interval.count() == 500);
        CHECK(call.count == 3);
        CHECK(call_of("status", {"--json", "-p", "a.pid"}).pidfile == "a.pid");
        CHECK(call_of("workers", {"-1", "--pid", "12", "--no-wait"}).argument == "-1");
        CHECK(call_of("workers", {"+1"}).timeout.count() == 60'000);
        CHECK(call_of("status", {"--wrong", "-h"}).help);
    }

    TEST_CASE("wrong arguments are told with a remedy") {
        CHECK(has(problem_of("status", {"--jsn"}), "unknown flag --jsn; did you mean --json?"));
        CHECK(has(problem_of("status", {"--sort", "cpu"}), "unknown flag --sort"));
        CHECK(has(problem_of("status", {"--admin-token", "secret"}), "--token-file FILE"));
        CHECK_FALSE(has(problem_of("status", {"--admin-token=secret"}), "secret"));
        CHECK(has(problem_of("status", {"app:app"}), "unexpected argument \"app:app\""));
        CHECK(has(problem_of("status", {"--admin"}), "--admin needs a value (ADDRESS)"));
        CHECK(has(problem_of("status", {"--admin="}), "--admin needs a value (ADDRESS)"));
        CHECK(has(problem_of("status", {"--json=yes"}), "--json takes no value"));
        CHECK(has(problem_of("status", {"--pid", "a.pid"}), "a file is named by --pidfile"));
        CHECK(has(problem_of("status", {"--pid", "0"}), "no number of a process"));
        CHECK(has(problem_of("status", {"--pid", "1", "-c", "x"}), "named twice"));
        CHECK(has(problem_of("top", {"--sort", "name"}), "is none of: worker cpu memory requests silent"));
        CHECK(has(problem_of("top", {"--interval", "0"}), "from 0.1 to 3600"));
        CHECK(has(problem_of("top", {"--count", "0"}), "from 1 on"));
        CHECK(has(problem_of("workers", {}), "say +1|-1"));
        CHECK(has(problem_of("workers", {"+2"}), "say +1|-1"));
        CHECK(has(problem_of("workers", {"+1", "-1"}), "one too many"));
        CHECK(settings::find_command("status:app") == nullptr);
    }

    TEST_CASE("help names each flag of the command") {
        const std::string text = help_of_command(*settings::find_command("status"));
        CHECK(has(text, "usage: unicoro status [FLAGS]"));
        CHECK(has(text, "-c, --config FILE"));
        CHECK(has(text, "unicoro status:application"));
        CHECK_FALSE(has(text, "--interval"));
    }

    TEST_CASE("addresses") {
        std::string problem;
        const auto text = [&](const char* written) {
            problem.clear();
            const auto read = read_admin_address(written, problem);
            return read ? read->text() : "(none)";
        };
        CHECK(text("unix:/run/a.sock") == "unix:/run/a.sock");
        CHECK(text("127.0.0.1:9000") == "127.0.0.1:9000");
        CHECK(text("http://localhost:9000/") == "localhost:9000");
        CHECK(text("[::1]:9000") == "[::1]:9000");
        CHECK(text("0.0.0.0:9000") == "127.0.0.1:9000");
        for (const char* wrong :
             {"localhost",
              "http://localhost",
              "[::1]",
              "localhost:0",
              "fd://3",
              "http://a:1/status",
              "https://a:1",
              "/run/a.sock",
              "a:b:c"}) {
            CAPTURE(wrong);
            CHECK(text(wrong) == "(none)");
            CHECK_FALSE(problem.empty());
        }
        CHECK(text("/run/a.sock") == "(none)");
        CHECK(has(problem, "write unix:/run/a.sock"));
    }

    TEST_CASE("of the addresses of admin_bind a unix socket comes first") {
        std::vector<settings::bind_address> bound;
        CHECK_FALSE(best_of(bound, "/srv"));
        bound.push_back({.port = 0});
        CHECK_FALSE(best_of(bound, "/srv"));
        bound.push_back({.host = "::", .port = 9});
        CHECK(best_of(bound, "/srv")->text() == "[::1]:9");
        bound.push_back({.type = settings::bind_address::kind::unix_path, .path = "a.sock"});
        CHECK(best_of(bound, "/srv")->text() == "unix:/srv/a.sock");
    }

    TEST_CASE("what the kernel tells of sockets") {
        const auto tcp = read_tcp_line(
            "   0: 0100007F:2328 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 "
            "1 x"
        );
        REQUIRE(tcp);
        CHECK(tcp->inode == "4711");
        CHECK(tcp->address.text() == "127.0.0.1:9000");
        const auto tcp6 = read_tcp_line(
            "   0: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A "
            "00000000:00000000 00:00000000 00000000     0        0 12 1 x"
        );
        REQUIRE(tcp6);
        CHECK(tcp6->address.text() == "[::1]:8080");
        CHECK_FALSE(
            read_tcp_line("   0: 0100007F:2328 0100007F:0001 01 00000000:00000000 00:00000000 00000000  1000 "
                          "       0 4711 1 x")
        );
        CHECK_FALSE(
            read_tcp_line("  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid")
        );
        const auto unix =
            read_unix_line("0000000000000000: 00000002 00000000 00010000 0001 01 4712 /run/a b.sock");
        REQUIRE(unix);
        CHECK(unix->inode == "4712");
        CHECK(unix->path == "/run/a b.sock");
        CHECK_FALSE(read_unix_line("0000000000000000: 00000003 00000000 00000000 0001 03 4712 /run/a.sock"));
        CHECK_FALSE(read_unix_line("0000000000000000: 00000002 00000000 00010000 0001 01 4712 @abstract"));
        CHECK_FALSE(read_unix_line("Num       RefCount Protocol Flags    Type St Inode Path"));
    }

    TEST_CASE("answers are read by their framing") {
        const auto body = [](std::string_view got, bool closed) -> std::string {
            const auto read = read_answer(got, closed);
            if (!read) return "(more)";
            return *read ? std::to_string((*read)->status) + " " + (*read)->body
                         : "(" + read->error().text + ")";
        };
        CHECK(body("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", false) == "200 hi");
        CHECK(body("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi there", false) == "200 hi");
        CHECK(body("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi", false) == "(more)");
        CHECK(body("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi", true) == "(its answer is cut off)");
        CHECK(body("HTTP/1.0 404 No\r\n\r\nhi", false) == "(more)");
        CHECK(body("HTTP/1.0 404 No\r\n\r\nhi", true) == "404 hi");
        CHECK(
            body("HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", true) == "200 hi"
        );
        CHECK(has(body("HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n", true), "cut off"));
        CHECK(has(body("HTTP/1.1 200\r\nTransfer-Encoding: gzip\r\n\r\n", true), "does not answer"));
        CHECK(body("HTT", false) == "(more)");
        CHECK(body("", true) == "(it closes the connection)");
        CHECK(has(body("SSH-2.0-x\r\n", false), "does not answer as HTTP"));
        CHECK(has(body("HTTP/1.1 abc x\r\n\r\n", true), "does not answer"));
        CHECK(has(body("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", true), "does not answer"));
        CHECK(has(body("HTTP/1.1 200 OK\r\n" + std::string(70'000, 'a'), false), "does not answer"));
    }

    TEST_CASE("nothing but ASCII reaches a terminal") {
        CHECK(shown("a\x1b[2Jb\x7f\xc2\x9b\n") == "a\\x1b[2Jb\\x7f\\xc2\\x9b\\x0a");
        CHECK(shown("a\\x1b") == "a\\x1b");
        CHECK(shown("abcdefgh", 6) == "abc...");
        const auto seen = read_requests(
            R"({"requests":[{"pid":1,"age_seconds":2.5,"method":"GET\u001b[2J","path":"/\u009b\u007f<b>","stage":"\n"}],"unlisted":3})"
        );
        REQUIRE(seen.has_value());
        const std::string text = joined(lines_of(*seen, 10));
        CHECK(has(text, "GET\\x1b[2J /\\xc2\\x9b\\x7f<b>"));
        CHECK(has(text, "and 3 more"));
        CHECK(std::ranges::all_of(text, [](char c) { return c == '\n' || (c >= ' ' && c < 0x7f); }));
        CHECK(*plain_json("{\"a\":\"\xc2\x9b\x7f\"}") == "{\n  \"a\": \"\\u009b\\u007f\"\n}\n");
    }

    TEST_CASE("stacks, as lines") {
        const auto seen = read_stacks(
            R"json({"workers":[{"pid":1,"answer":"whole"},{"pid":2,"answer":"none"},{"pid":3,"answer":"mute"}],"requests":[
                {"pid":1,"age_seconds":2.5,"method":"GET","path":"/a","stage":"application","id":"1-0-f","runs_in":"loop",
                 "holds_loop":true,"stack":[{"file":"/x.py\u001b","line":3,"function":"view","code":"sleep(1)"},{"line":"4"}]},
                {"pid":2,"path":"/b","stack":null,"why":"it sleeps"},{"stack":[],"runs_in":"thread"},
                {"stack":[],"runs_in":"loop"}],"unlisted":1})json"
        );
        REQUIRE(seen.has_value());
        const std::string text = joined(lines_of(*seen));
        CHECK(text.starts_with("Worker 2 does not answer: "));
        CHECK(has(text, "Worker 3 has no Python code"));
        CHECK_FALSE(has(text, "Worker 1"));
        CHECK(
            has(text,
                "GET /a for 2.5 s (pid 1, application, 1-0-f) is in the worker's loop, which it holds:\n"
                "  File \"/x.py\\x1b\", line 3, in view\n    sleep(1)\n  File \"\", line 0, in \n")
        );
        CHECK(has(text, "): it sleeps\n"));
        CHECK(has(text, "is in a thread, which has not begun\n"));
        CHECK(has(text, "is between two pieces of its response\n"));
        CHECK(has(text, "and 1 more"));
        for (const char* wrong : {"", "[]", R"({"workers":[]})", R"({"workers":[],"requests":{}})"}) {
            CHECK(read_stacks(wrong).has_error());
        }
    }

    TEST_CASE("what is no status is told so") {
        for (const char* wrong :
             {"", "[]", "{", "3", "null", R"({"workers":{},"ready":true})", R"({"workers":[]})"}) {
            CAPTURE(wrong);
            const auto read = read_status(wrong);
            REQUIRE(read.has_error());
            CHECK(read.error().code == exit_not_reached);
        }
        const auto odd =
            read_status(R"({"workers":[3,{"pid":"x","cpu_seconds":[]}],"ready":1,"requests":1e999})");
        if (odd) CHECK_FALSE(odd->ready);
    }

    TEST_CASE("a status in lines") {
        const auto seen = read_status(
            R"({"version":"1.2","master_pid":7,"uptime_seconds":61,"generation":2,"ready":true,"stopping":false,
                "workers_wanted":2,"workers_serving":1,"requests":10,"shed":1,"worker_ends":{"told":0,"timeout":2},
                "workers":[{"worker":0,"pid":8,"state":"ready","age_seconds":61,"requests":10,"in_flight":1,
                "queued":0,"connections":1,"websockets":0,"silent_seconds":2.5,"cpu_seconds":0.5,"memory_bytes":52428800}]})"
        );
        REQUIRE(seen.has_value());
        const auto lines = lines_of(*seen);
        CHECK(lines[0] == "unicoro 1.2: ready, 1 of 2 workers serve (master 7, generation 2, up 1 min 1 s)");
        CHECK(lines[1] == "10 requests, 1 shed; workers ended: timeout 2");
        CHECK(lines[4].starts_with("  8  ready  1 min 1 s"));
        CHECK(lines[4].ends_with("0.50 s  50.0 M   2.5 s"));
    }

    TEST_CASE("times and sizes") {
        CHECK(shown_time(-1) == "0 s");
        CHECK(shown_time(0.25) == "0.25 s");
        CHECK(shown_time(12.34) == "12.3 s");
        CHECK(shown_time(3600) == "1 h");
        CHECK(shown_time(90'000) == "1 d 1 h");
        CHECK(shown_bytes(2048) == "2 K");
        CHECK(shown_bytes(3.5 * 1024 * 1024 * 1024) == "3.5 G");
    }

    TEST_CASE("rates come from two looks at the same server") {
        const top_look before = look_with(100, 2, 0);
        const top_look now = look_with(150, 3, 2);
        CHECK(*rates_between(&before, now).requests == doctest::Approx(25));
        CHECK(*rates_between(&before, now).cpu == doctest::Approx(0.5));
        CHECK_FALSE(rates_between(nullptr, now).requests);
        CHECK_FALSE(rates_between(&now, before).requests);
        CHECK(has(top_line(&before, now), "25.0 requests/s"));
        CHECK(has(top_line(nullptr, now), "- requests/s"));
    }

    TEST_CASE("a frame fits the screen and keeps its order") {
        const top_look before = look_with(100, 2, 0);
        const top_look now = look_with(150, 3, 2);
        const std::string by_memory = joined(top_frame(&before, now, {.sort = "memory"}, {24, 80}));
        CHECK(by_memory.find("\n  9  ready") < by_memory.find("\n  8  ready"));
        const std::string by_cpu = joined(top_frame(&before, now, {.sort = "cpu"}, {24, 80}));
        CHECK(by_cpu.find("\n  8  ready") < by_cpu.find("\n  9  ready"));
        CHECK(has(joined(top_frame(&before, now, {.problem = "gone\x1b"}, {24, 80})), "gone\\x1b"));
        for (const window_size size :
             {window_size{1, 1}, window_size{3, 10}, window_size{5, 40}, window_size{24, 80}}) {
            const auto lines = top_frame(&before, now, {.help = true}, size);
            CHECK(lines.size() <= size.rows);
            CHECK(std::ranges::all_of(lines, [&](const auto& each) { return each.size() <= size.columns; }));
        }
    }

    TEST_CASE("a sample is found by its whole name") {
        const char* text = "# HELP a_total x\na_total{outcome=\"completed\"} 3\na_total 4\n";
        CHECK(*sample_of(text, "a_total{outcome=\"completed\"}") == 3);
        CHECK(*sample_of(text, "a_total") == 4);
        CHECK_FALSE(sample_of(text, "a_tot"));
    }
}
