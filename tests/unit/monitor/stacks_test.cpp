// SPDX-License-Identifier: MIT
#include "monitor/stacks.hpp"
#include "aio/asio.hpp"
#include "monitor/query.hpp"
#include "monitor/stacks_text.hpp"

#include "support/doctest.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <nlohmann/json.hpp>

#include <exception>
#include <string>

using namespace unicoro;
using namespace unicoro::monitor;

namespace {

std::string shown(const stacks_told& of, stacks_format how) {
    asio::io_context io{1};
    std::string made;
    asio::co_spawn(io, written(of, how), [&made](const std::exception_ptr& failed, std::string text) {
        CHECK_FALSE(failed);
        made = std::move(text);
    });
    io.run();
    return made;
}

request_view request(std::uint32_t entry, scoreboard::monotonic_ns started) {
    return {0, 77, 3, 1.5, {started, "GET", "/a?secret=1", scoreboard::request_stage::application, entry}};
}

}  // namespace

TEST_CASE("what a worker says of its stacks") {
    worker_stacks told;
    read_stacks(
        "R\t4\t1000\tgreenlet\t1\n/app.py\t12\tview\tsleep(1)\n/lib.py\t3\tdeeper\t\nR\t5\t1001\ttask\t0\n",
        told
    );
    REQUIRE(told.stacks.size() == 2);
    const stack_view& first = told.stacks.at({4, 1000});
    CHECK(first.kind == "greenlet");
    CHECK(first.running);
    REQUIRE(first.calls.size() == 2);
    CHECK(first.calls[0].file == "/app.py");
    CHECK(first.calls[0].line == "12");
    CHECK(first.calls[0].function == "view");
    CHECK(first.calls[0].code == "sleep(1)");
    CHECK(told.stacks.at({5, 1001}).calls.empty());
    CHECK_FALSE(told.stacks.at({5, 1001}).running);
}

TEST_CASE("what is none is passed over") {
    for (const char* odd :
         {"",
          "\n\n",
          "x",
          "R\t",
          "R\t1\n",
          "R\tx\t1\tloop\t1\nfile\t1\tf\tc\n",
          "file\t1\tf\tc\n",
          "R\t-1\t1\t\t\n"}) {
        CAPTURE(odd);
        worker_stacks told;
        read_stacks(odd, told);
        CHECK(told.stacks.empty());
    }
    worker_stacks told;
    told.how = worker_stacks::answer::whole;
    read_stacks("R\t1\t2\tloop\t1\nonly a file\nM\n", told);
    CHECK(told.how == worker_stacks::answer::clipped);
    CHECK(told.stacks.at({1, 2}).calls[0].file == "only a file");
}

TEST_CASE("stacks are written as JSON and as text") {
    stacks_told told;
    told.asked = 5000;
    told.workers.push_back({0, 77, 3, worker_stacks::answer::whole, {}});
    read_stacks("R\t4\t1000\tloop\t1\n/\xff\x1b.py\t12\tview\ta \"b\"\nfile\tx\t\t\n", told.workers[0]);
    told.requests.listed = {request(4, 1000), request(5, 1000), request(4, 6000)};
    told.requests.unlisted = 2;
    const auto json = nlohmann::json::parse(shown(told, stacks_format::json));
    CHECK(json["workers"][0]["answer"] == "whole");
    CHECK(json["unlisted"] == 2);
    REQUIRE(json["requests"].size() == 3);
    CHECK(json["requests"][0]["id"] == "3-4-3e8");
    CHECK(json["requests"][0]["path"] == "/a");
    CHECK(json["requests"][0]["runs_in"] == "loop");
    CHECK(json["requests"][0]["holds_loop"] == true);
    CHECK(json["requests"][0]["stack"][0]["line"] == 12);
    CHECK(json["requests"][0]["stack"][1]["line"] == 0);
    CHECK(json["requests"][1]["stack"].is_null());
    CHECK(json["requests"][1]["why"] == "it is not in the application's code");
    CHECK(json["requests"][2]["why"] == "it has begun since they were asked for");
    const std::string text = shown(told, stacks_format::text);
    CHECK(text.find("  File \"/\\xff\\x1b.py\", line 12, in view\n    a \"b\"\n") != text.npos);
    CHECK(text.find("secret") == text.npos);
    CHECK(text.find("And 2 more") != text.npos);
}

TEST_CASE("who has not answered is told of") {
    stacks_told told;
    told.workers.push_back({0, 77, 3, worker_stacks::answer::none, {}});
    told.workers.push_back({1, 78, 4, worker_stacks::answer::mute, {}});
    told.requests.listed = {request(4, 1000)};
    const std::string text = shown(told, stacks_format::text);
    CHECK(text.starts_with("Worker with pid 77: the worker does not answer"));
    CHECK(text.find("Worker with pid 78: the worker has no Python code") != text.npos);
    CHECK(text.find("request 3-4-3e8: the worker does not answer") != text.npos);
    told.requests.listed[0].number = 9;
    CHECK(shown(told, stacks_format::json).find("its worker has ended") != std::string::npos);
}

TEST_CASE("parameters of a query") {
    CHECK(parameter("a=1&b=2", "b") == "2");
    CHECK(parameter("ab=1&b=&b=3", "b") == "");
    CHECK_FALSE(parameter("ab=1&b", "b"));
    CHECK_FALSE(parameter("", "b"));
}
