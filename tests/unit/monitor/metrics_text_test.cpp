// SPDX-License-Identifier: MIT
#include "monitor/metrics_text.hpp"
#include "monitor/families.hpp"
#include "monitor/status_json.hpp"

#include "support/doctest.hpp"

#include <nlohmann/json.hpp>

#include <set>
#include <sstream>
#include <string>

using namespace unicoro::monitor;
using namespace unicoro::scoreboard;

namespace {

picture some_picture() {
    picture made;
    made.now = 100'000'000'000;
    made.seen.started = 40'000'000'000;
    made.seen.generation = 3;
    made.seen.wanted = 2;
    counted& all = made.seen.all;
    all.rows[0] = "/";
    all.rows[1] = "/a\"b\\c";
    all.words[place_of_requests(1, 1)] = 7;
    all.words[place_of_requests(2, 4)] = 2;
    all.words[place_of_requests(row_of_others, 1)] = 4;
    all.words[place_of_bucket(timing::duration, 0)] = 5;
    all.words[place_of_bucket(timing::duration, 2)] = 3;
    all.words[place_of_bucket(timing::duration, buckets - 1)] = 1;
    all.words[place_of_sum(timing::duration)] = 12'500'000'000;
    all.words[place_of(counter::bytes_sent)] = 1'000'000'007;
    all.happened[static_cast<std::size_t>(happening::worker_timed_out)] = 6;
    worker_view worker;
    worker.counted = {1, {5, 4711, 3, 70'000'000'000}, worker_state::ready, 11};
    worker.connections = 9;
    worker.running = 4;
    worker.websockets = 1;
    worker.queued = 2;
    worker.silent = 2.25;
    worker.memory = 4096;
    made.seen.workers.push_back(worker.counted);
    made.workers.push_back(worker);
    made.cpu = 1.5;
    return made;
}

bool has_line(const std::string& text, const std::string& line) {
    return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

}  // namespace

TEST_SUITE_BEGIN("monitor: metrics");

TEST_CASE("numbers are written as both formats read them") {
    CHECK(number_text(0) == "0.0");
    CHECK(number_text(1) == "1.0");
    CHECK(number_text(0.005) == "0.005");
    CHECK(number_text(2.5) == "2.5");
    CHECK(number_text(1e22) == "1e+22");
}

TEST_CASE("Prometheus' text") {
    const std::string text = metrics_text(some_picture(), "1.2.3", exposition::prometheus);
    CHECK(has_line(text, "unicoro_build_info{version=\"1.2.3\"} 1"));
    CHECK(has_line(text, "# TYPE unicoro_http_requests_total counter"));
    CHECK(has_line(text, R"x(unicoro_http_requests_total{application="/",class="2xx"} 7)x"));
    CHECK(has_line(text, R"x(unicoro_http_requests_total{application="/a\"b\\c",class="5xx"} 2)x"));
    CHECK(has_line(text, R"x(unicoro_http_requests_total{application="(other)",class="2xx"} 4)x"));
    CHECK(has_line(text, R"x(unicoro_http_requests_total{application="(server)",class="4xx"} 0)x"));
    CHECK(has_line(text, R"x(unicoro_http_request_duration_seconds_bucket{le="0.005"} 5)x"));
    CHECK(has_line(text, R"x(unicoro_http_request_duration_seconds_bucket{le="0.01"} 5)x"));
    CHECK(has_line(text, R"x(unicoro_http_request_duration_seconds_bucket{le="0.025"} 8)x"));
    CHECK(has_line(text, R"x(unicoro_http_request_duration_seconds_bucket{le="10.0"} 8)x"));
    CHECK(has_line(text, R"x(unicoro_http_request_duration_seconds_bucket{le="+Inf"} 9)x"));
    CHECK(has_line(text, "unicoro_http_request_duration_seconds_count 9"));
    CHECK(has_line(text, "unicoro_http_request_duration_seconds_sum 12.5"));
    CHECK(has_line(text, "unicoro_http_response_body_bytes_total 1000000007"));
    CHECK(has_line(text, R"x(unicoro_worker_ends_total{reason="timeout"} 6)x"));
    CHECK(has_line(text, R"x(unicoro_workers{state="ready"} 1)x"));
    CHECK(has_line(text, R"x(unicoro_workers{state="draining"} 0)x"));
    CHECK(has_line(text, R"x(unicoro_connections{state="idle"} 5)x"));
    CHECK(has_line(text, R"x(unicoro_connections{state="active"} 3)x"));
    CHECK(has_line(text, R"x(unicoro_connections{state="websocket"} 1)x"));
    CHECK(has_line(text, "unicoro_workers_cpu_seconds_total 1.5"));
    CHECK(has_line(text, R"x(unicoro_worker_silence_seconds{worker="1"} 2.25)x"));
    CHECK(has_line(text, R"x(unicoro_worker_memory_bytes{worker="1"} 4096)x"));
    // What is not known is not said.
    CHECK(text.find("unicoro_worker_cpu_seconds{") == std::string::npos);
    CHECK(text.find("# EOF") == std::string::npos);
    CHECK(text.find("# UNIT") == std::string::npos);
}

TEST_CASE("OpenMetrics' text") {
    const std::string text = metrics_text(some_picture(), "1.2.3", exposition::openmetrics);
    CHECK(has_line(text, "# TYPE unicoro_build info"));
    CHECK(has_line(text, "unicoro_build_info{version=\"1.2.3\"} 1"));
    CHECK(has_line(text, "# TYPE unicoro_http_requests counter"));
    CHECK(has_line(text, R"x(unicoro_http_requests_total{application="/",class="2xx"} 7)x"));
    CHECK(has_line(text, "# UNIT unicoro_http_response_body_bytes bytes"));
    CHECK(has_line(text, "# TYPE unicoro_http_request_duration_seconds histogram"));
    CHECK(has_line(text, "# UNIT unicoro_http_request_duration_seconds seconds"));
    CHECK(text.ends_with("\n# EOF\n"));
    // Every name of a family once, whatever kinds they are of.
    std::set<std::string> names;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with("# TYPE ")) continue;
        const std::string name = line.substr(7, line.find(' ', 7) - 7);
        CHECK(names.insert(name).second);
    }
    CHECK(names.size() > 25);
}

TEST_CASE("which of them is asked for") {
    const auto open = [](std::string_view accept) {
        return wanted_exposition(accept) == exposition::openmetrics;
    };
    CHECK_FALSE(open(""));
    CHECK_FALSE(open("*/*"));
    CHECK_FALSE(open("text/plain"));
    CHECK(open("application/openmetrics-text"));
    CHECK(open("Application/OpenMetrics-Text; version=1.0.0; charset=utf-8"));
    // As Prometheus asks.
    CHECK(
        open("application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
             "text/plain;version=0.0.4;q=0.5,*/*;q=0.1")
    );
    CHECK_FALSE(open("text/plain;version=0.0.4, application/openmetrics-text;q=0.5"));
    CHECK_FALSE(open("application/openmetrics-text;q=0"));
    CHECK_FALSE(open("application/openmetrics-text;q=abc"));
    CHECK_FALSE(open(",,;;q=,application/openmetrics-textual"));
}

TEST_CASE("the state as JSON") {
    const auto read = nlohmann::json::parse(status_json(some_picture(), "1.2.3", 99, true));
    CHECK(read["version"] == "1.2.3");
    CHECK(read["master_pid"] == 99);
    CHECK(read["ready"] == true);
    CHECK(read["uptime_seconds"] == 60.0);
    CHECK(read["requests"] == 13);
    CHECK(read["workers_serving"] == 1);
    CHECK(read["worker_ends"]["timeout"] == 6);
    const auto& worker = read["workers"][0];
    CHECK(worker["pid"] == 4711);
    CHECK(worker["number"] == 5);
    CHECK(worker["state"] == "ready");
    CHECK(worker["age_seconds"] == 30.0);
    CHECK(worker["silent_seconds"] == 2.25);
    CHECK(worker["memory_bytes"] == 4096);
    CHECK_FALSE(worker.contains("cpu_seconds"));
}

TEST_CASE("requests in flight as JSON, without what a query may hide and what a terminal would obey") {
    requests_view view;
    view.listed.push_back(
        {0, 77, 1, 1.23456, {5, "GET", "/a\x1b[2J\n\xff?token=secret", request_stage::queued}}
    );
    view.unlisted = 4;
    const std::string text = requests_json(view);
    CHECK(text.find("secret") == std::string::npos);
    for (const char each : text) CHECK((each == '\n' || (each >= ' ' && each < 0x7f)));
    const auto read = nlohmann::json::parse(text);
    CHECK(read["unlisted"] == 4);
    CHECK(read["requests"][0]["path"] == "/a\\x1b[2J\\x0a\\xff");
    CHECK(read["requests"][0]["stage"] == "queued");
    CHECK(read["requests"][0]["age_seconds"] == 1.235);
}
