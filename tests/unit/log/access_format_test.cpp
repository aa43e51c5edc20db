// SPDX-License-Identifier: MIT
#include "log/access_format.hpp"

#include "support/doctest.hpp"

#include <nlohmann/json.hpp>

#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <string>

namespace unicoro {

using log::access_format;
using log::access_record;

namespace {

constexpr const char* default_format = R"(%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s")";

/// Local time is part of the formats. It is made once per second, so two tests with different zones
/// use different seconds.
struct zone {
    explicit zone(const char* name) {
        ::setenv("TZ", name, 1);
        ::tzset();
    }
    ~zone() {
        ::unsetenv("TZ");
        ::tzset();
    }
    zone(const zone&) = delete;
    zone& operator=(const zone&) = delete;
};

constexpr std::array<log::field_view, 4> request_fields{{
    {"Host", "example.org"},
    {"Referer", "http://a/\"b\""},
    {"User-Agent", "curl/8"},
    {"X-Empty", ""},
}};
constexpr std::array<log::field_view, 1> response_fields{{{"Content-Type", "text/plain"}}};
constexpr std::array<log::field_view, 1> environ_fields{{{"REMOTE_USER", "ada"}}};

access_record sample(std::chrono::seconds later = {}) {
    using namespace std::chrono;
    access_record record;
    record.remote_address = "192.0.2.7";
    record.user = "ada";
    record.finished = system_clock::time_point(seconds(1'795'503'600) + later + milliseconds(42));
    record.method = "GET";
    record.target = "/a?b=c";
    record.path = "/a";
    record.query = "b=c";
    record.protocol = "HTTP/1.1";
    record.status = 200;
    record.body_bytes = 1234;
    record.duration = seconds(2) + microseconds(3456);
    record.request_fields = request_fields;
    record.response_fields = response_fields;
    record.environ_fields = environ_fields;
    return record;
}

std::string line_of(std::string_view format, const access_record& record) {
    const auto compiled = access_format::compile(format);
    REQUIRE_MESSAGE(compiled.has_value(), format);
    std::string line;
    compiled->append(line, record);
    return line;
}

nlohmann::json json_of(const access_record& record) {
    return nlohmann::json::parse(line_of("json", record));
}

}  // namespace

TEST_SUITE("access_format") {
    TEST_CASE("every atom") {
        const zone utc("UTC");
        struct row {
            const char* format;
            std::string expected;
        };
        const row rows[] = {
            {"%(h)s", "192.0.2.7"},
            {"%(l)s", "-"},
            {"%(u)s", "ada"},
            {"%(t)s", "[24/Nov/2026:07:00:00 +0000]"},
            {"%(r)s", "GET /a?b=c HTTP/1.1"},
            {"%(m)s", "GET"},
            {"%(U)s", "/a"},
            {"%(q)s", "b=c"},
            {"%(H)s", "HTTP/1.1"},
            {"%(s)s", "200"},
            {"%(B)s", "1234"},
            {"%(b)s", "1234"},
            {"%(f)s", "http://a/\\\"b\\\""},
            {"%(a)s", "curl/8"},
            {"%(T)s", "2"},
            {"%(M)s", "2003"},
            {"%(D)s", "2003456"},
            {"%(L)s", "2.003456"},
            {"%(p)s", "<" + std::to_string(::getpid()) + ">"},
            {"%({host}i)s", "example.org"},
            {"%({HOST}i)s", "example.org"},
            {"%({content-type}o)s", "text/plain"},
            {"%({remote_user}e)s", "ada"},
            {"%({absent}i)s", "-"},
            {"%({absent}o)s", "-"},
            {"%({absent}e)s", "-"},
            {"%({x-empty}i)s", "-"},
            {"100%% %(s)s", "100% 200"},
            {"[%(s)6s]", "[   200]"},
            {"[%(s)-6s]", "[200   ]"},
            {"[%(D)9d]", "[  2003456]"},
            {"", ""},
        };
        for (const row& r : rows) {
            CAPTURE(r.format);
            CHECK(line_of(r.format, sample()) == r.expected);
        }
    }

    TEST_CASE("the default line is gunicorn's") {
        const zone india("Asia/Kolkata");
        CHECK(
            line_of(default_format, sample(std::chrono::seconds(1))) ==
            "192.0.2.7 - ada [24/Nov/2026:12:30:01 +0530] \"GET /a?b=c HTTP/1.1\" 200 1234 "
            "\"http://a/\\\"b\\\"\" \"curl/8\""
        );
    }

    TEST_CASE("an empty record prints dashes") {
        const zone utc("UTC");
        CHECK(
            line_of(default_format, access_record{}) ==
            "- - - [01/Jan/1970:00:00:00 +0000] \"-\" 0 0 \"-\" \"-\""
        );
    }

    TEST_CASE("durations do not wrap at a day") {
        access_record record;
        record.duration = std::chrono::hours(25);
        CHECK(line_of("%(T)s %(M)s %(D)s %(L)s", record) == "90000 90000000 90000000000 90000.000000");
    }

    TEST_CASE("values cannot forge a line or end their quotes") {
        access_record record = sample();
        const std::array<log::field_view, 2> fields{{
            {"User-Agent", "x\" 200 1\n127.0.0.1 - - forged\x1b[2J\\"},
            {"Referer", "\x80\r"},
        }};
        record.request_fields = fields;
        record.target = "/\n\"";
        CHECK(
            line_of("\"%(r)s\" \"%(f)s\" \"%(a)s\"", record) ==
            "\"GET /\\x0a\\\" HTTP/1.1\" \"\\x80\\x0d\" "
            "\"x\\\" 200 1\\x0a127.0.0.1 - - forged\\x1b[2J\\\\\""
        );
    }

    TEST_CASE("faults are named with their place") {
        struct row {
            const char* format;
            const char* part;
        };
        const row rows[] = {
            {"%(x)", "the atom must end in 's'"},
            {"%(x)5.3q", "the atom must end in 's'"},
            {"%(h)", "the atom must end in 's'"},
            {"%(h)d", "the atom must end in 's'"},
            {"%(s)q", "the atom must end in 's' or 'd'"},
            {"%(h", "no closing ')' at character 1"},
            {"50% %(h)s", "write '%%' for a percent sign at character 3"},
            {"%h", "write '%%'"},
            {"tail%", "at character 5"},
            {"%(h)999s", "255 at most"},
            {"%(h)s\n", "control character"},
        };
        for (const row& r : rows) {
            CAPTURE(r.format);
            const auto compiled = access_format::compile(r.format);
            REQUIRE(compiled.has_error());
            CAPTURE(compiled.error());
            CHECK(compiled.error().find(r.part) != std::string::npos);
        }
    }

    TEST_CASE("flags, width and precision are Python's") {
        auto record = sample();
        const std::array<log::field_view, 1> fields{{{"User-Agent", "\"ab\xC3\xA9z"}}};
        record.request_fields = fields;
        record.status = 204;
        CHECK(line_of("%(s)05d|%(s)-5s|%(s)5s|%(m).2s|%(M)i", record) == "00204|204  |  204|GE|2003");
        CHECK(line_of("%(a).2s|%(a).3s", record) == "\\\"|\\\"a");
        // Neither an escape nor a character is cut through.
        CHECK(line_of("%(a).1s|%(a).5s|%(a).6s", record) == "|\\\"ab|\\\"ab\xC3\xA9");
        CHECK(line_of("%(h) -  %(t)s", record) == "%(t)s");
    }

    TEST_CASE("an unknown atom is a dash, and is told") {
        const auto compiled = access_format::compile("%(y)s %(s)s %(status).3f %({host}x)s %({}i)s %()s|");
        REQUIRE(compiled.has_value());
        CHECK(compiled->unknown_atoms() == std::vector<std::string>{"y", "status", "{host}x", "{}i", ""});
        std::string line;
        access_record record;
        record.status = 204;
        compiled->append(line, record);
        CHECK(line == "- 204 - - - -|");
        CHECK(access_format::known_atoms().find("h l u t r") != std::string_view::npos);
    }

    TEST_CASE("a format says what it needs") {
        const auto plain = access_format::compile("%(h)s %(s)s");
        CHECK_FALSE(plain->uses_request_fields());
        CHECK_FALSE(plain->uses_response_fields());
        CHECK(plain->environ_names().empty());
        CHECK(access_format::compile(default_format)->uses_request_fields());
        CHECK(access_format::compile("%({x}o)s")->uses_response_fields());
        CHECK(access_format::compile("json")->uses_request_fields());
        const auto environ = access_format::compile("%({A}e)s %({wsgi.multithread}e)s");
        CHECK(environ->environ_names() == std::vector<std::string>{"A", "wsgi.multithread"});
    }

    TEST_CASE("JSON has typed fields") {
        const zone india("Asia/Kolkata");
        const auto object = json_of(sample(std::chrono::seconds(2)));
        CHECK(object["time"] == "2026-11-24T12:30:02.042+05:30");
        CHECK(object["remote_addr"] == "192.0.2.7");
        CHECK(object["user"] == "ada");
        CHECK(object["method"] == "GET");
        CHECK(object["target"] == "/a?b=c");
        CHECK(object["path"] == "/a");
        CHECK(object["query"] == "b=c");
        CHECK(object["protocol"] == "HTTP/1.1");
        CHECK(object["status"].is_number_integer());
        CHECK(object["status"] == 200);
        CHECK(object["bytes"].is_number_integer());
        CHECK(object["bytes"] == 1234);
        CHECK(object["duration_ms"].is_number_float());
        CHECK(object["duration_ms"] == doctest::Approx(2003.456));
        CHECK(object["waited_ms"].is_null());
        CHECK(object["first_byte_ms"].is_null());
        CHECK(object["cpu_ms"].is_null());
        CHECK(object["referer"] == "http://a/\"b\"");
        CHECK(object["user_agent"] == "curl/8");
        CHECK(object["pid"] == ::getpid());
        CHECK(object.size() == 18);
    }

    TEST_CASE("how long a request waited is printed where it is known") {
        access_record record = sample();
        CHECK(line_of("%(W)s", record) == "-");
        record.waited = std::chrono::microseconds(1002003);
        CHECK(line_of("%(W)s", record) == "1.002003");
        CHECK(json_of(record)["waited_ms"] == doctest::Approx(1002.003));
        CHECK(log::access_format::compile("%(W)s")->uses_wait());
        CHECK(log::access_format::compile("json")->uses_wait());
        CHECK_FALSE(log::access_format::compile("%(h)s %(D)s")->uses_wait());
    }

    TEST_CASE("when its response began and what it computed are printed where they are known") {
        access_record record = sample();
        CHECK(line_of("%(F)s %(C)s", record) == "- -");
        record.first_byte = std::chrono::microseconds(1500);
        record.cpu_time = std::chrono::nanoseconds(2'345'678);
        CHECK(line_of("%(F)s %(C)s", record) == "0.001500 0.002345");
        CHECK(json_of(record)["first_byte_ms"] == doctest::Approx(1.5));
        CHECK(json_of(record)["cpu_ms"] == doctest::Approx(2.345));
        CHECK(log::access_format::compile("%(F)s")->uses_first_byte());
        CHECK_FALSE(log::access_format::compile("%(F)s")->uses_cpu_time());
        CHECK(log::access_format::compile("%(C)s")->uses_cpu_time());
        CHECK(log::access_format::compile("json")->uses_first_byte());
        CHECK(log::access_format::compile("json")->uses_cpu_time());
        CHECK_FALSE(log::access_format::compile("%(h)s %(W)s")->uses_first_byte());
        CHECK_FALSE(log::access_format::compile("%(h)s %(W)s")->uses_cpu_time());
    }

    TEST_CASE("the trace of a request") {
        access_record record = sample();
        CHECK(line_of("%(x)s", record) == "-");
        CHECK(json_of(record)["trace_id"].is_null());
        std::array<log::field_view, 1> fields{
            {{"Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}}
        };
        record.request_fields = fields;
        CHECK(line_of("%(x)s", record) == "4bf92f3577b34da6a3ce929d0e0e4736");
        CHECK(json_of(record)["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736");
        fields[0].second = "00-forged forged forged forged 0e47-00f067aa0ba902b7-01";
        CHECK(line_of("%(x)s", record) == "-");
        CHECK(log::access_format::compile("%(x)s")->uses_request_fields());
    }

    TEST_CASE("JSON of an empty record has nulls and is an object") {
        const auto object = json_of(access_record{});
        for (const char* name : {"remote_addr", "user", "method", "target", "path", "protocol"}) {
            CAPTURE(name);
            CHECK(object[name].is_null());
        }
        CHECK(object["query"] == "");
        CHECK(object["user_agent"].is_null());
        CHECK(object["duration_ms"].is_number_float());
    }

    TEST_CASE("JSON values cannot add fields") {
        access_record record = sample();
        const std::array<log::field_view, 1> fields{{{"User-Agent", "\",\"status\":1,\"x\":\"\\\xff\n"}}};
        record.request_fields = fields;
        const auto object = json_of(record);
        CHECK(object["status"] == 200);
        CHECK(object.size() == 18);
        CHECK(object["user_agent"] == "\",\"status\":1,\"x\":\"\\\xef\xbf\xbd\n");
        CHECK(line_of("json", record).find('\n') == std::string::npos);
    }
}

}  // namespace unicoro
