// SPDX-License-Identifier: MIT
#include "settings/value_types.hpp"

#include "support/doctest.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

using namespace unicoro::settings;

namespace {

struct reading {
    json value;
    std::vector<fault> faults;

    bool ok() const { return faults.empty(); }
};

reading read(const value_type_ptr& type, const json& written) {
    reading result;
    type->read(written, result.value, result.faults);
    return result;
}

/// Pairs of what is written and what it means.
struct meaning {
    json written;
    json value;
};

void check_meanings(const value_type_ptr& type, const std::vector<meaning>& rows) {
    for (const meaning& row : rows) {
        CAPTURE(row.written.dump());
        const auto result = read(type, row.written);
        CHECK(result.ok());
        CHECK(result.value == row.value);
    }
}

void check_refused(const value_type_ptr& type, const std::vector<json>& rows) {
    for (const json& written : rows) {
        CAPTURE(written.dump(-1, ' ', true, json::error_handler_t::replace));
        CHECK_FALSE(read(type, written).ok());
    }
}

}  // namespace

TEST_SUITE("value_types") {
    TEST_CASE("whole numbers") {
        const auto type = whole_number(0, 10);
        check_meanings(type, {{0, 0}, {10, 10}, {"7", 7}, {" 7 ", 7}, {"010", 10}, {4.0, 4}});
        check_refused(
            type,
            {-1,
             11,
             1.5,
             "",
             "a",
             "0x5",
             "1_0",
             "+1",
             "-1",
             true,
             nullptr,
             json::array({1}),
             json::object(),
             18446744073709551615ULL,
             1e300,
             "99999999999999999999"}
        );
        const auto open = read(whole_number(0), -3);
        REQUIRE(open.faults.size() == 1);
        CHECK(open.faults[0].text == "must be a whole number, 0 or more, not -3");
        check_refused(type, {"auto"});
        const auto counted = worker_count(10);
        check_meanings(counted, {{"auto", "auto"}, {" AUTO", "auto"}, {3, 3}, {"3", 3}});
        check_refused(counted, {11, "all"});
        json workers = "auto";
        counted->settle(workers, [] { return 6; });
        CHECK(workers == 6);
    }

    TEST_CASE("seconds") {
        check_meanings(
            seconds(),
            {{30, 30},
             {0, 0},
             {0.5, 0.5},
             {"0.5", 0.5},
             {"30", 30},
             {"2.0", 2},
             {1.2345, 1.235},
             {31536000, 31536000}}
        );
        check_refused(
            seconds(),
            {-1,
             -0.5,
             "-1",
             "30s",
             "1e3",
             "inf",
             "nan",
             "",
             "soon",
             true,
             nullptr,
             31536001,
             0.0001,
             json::array({30})}
        );
    }

    TEST_CASE("byte sizes") {
        check_meanings(
            byte_size(),
            {{0, 0},
             {4094, 4094},
             {"4094", 4094},
             {"64k", 65536},
             {"10M", 10485760},
             {"1G", 1073741824},
             {"1 GiB", 1073741824},
             {"2kb", 2048},
             {"1t", 1099511627776}}
        );
        check_refused(
            byte_size(), {-1, "-1", "k", "10X", "10kk", "1.5M", "", true, nullptr, "9999999999999G", 1.5}
        );
        check_refused(byte_size(100), {101, "1k"});
    }

    TEST_CASE("file modes") {
        check_meanings(
            file_mode(),
            {{18, 18},
             {"18", 18},
             {"0o022", 18},
             {"0022", 18},
             {"022", 18},
             {"0x12", 18},
             {"0", 0},
             {0, 0},
             {"0777", 511}}
        );
        check_refused(file_mode(), {-1, 512, "01000", "0o8", "08", "rw", "", true, nullptr});
    }

    TEST_CASE("true and false are strict") {
        check_meanings(boolean(), {{true, true}, {false, false}, {"true", true}, {"False", false}});
        check_refused(boolean(), {0, 1, "yes", "1", "", nullptr, json::array()});
    }

    TEST_CASE("text") {
        check_meanings(text(), {{" a b ", "a b"}, {nullptr, nullptr}, {"", nullptr}, {"  ", nullptr}});
        check_refused(text(), {1, true, json::array(), "a\nb", std::string("a\0b", 3)});
        check_meanings(text(presence::may_be_empty), {{"", ""}, {"x", "x"}});
        check_refused(text(presence::may_be_empty), {nullptr});
        check_refused(text(presence::required), {"", " ", nullptr});
    }

    TEST_CASE("choices have aliases, refusals and hints") {
        const auto type =
            choice({{"sync"}, {"async"}, {"gevent", "async"}, {.written = "old", .refusal = "use sync"}});
        check_meanings(type, {{"sync", "sync"}, {"gevent", "async"}, {"GEVENT", "async"}});
        check_refused(type, {"", 1, nullptr});
        CHECK(read(type, "old").faults[0].text == "\"old\" is refused: use sync");
        CHECK(
            read(type, "asinc").faults[0].text ==
            "must be one of \"sync\", \"async\", \"gevent\", not \"asinc\"; did you mean \"async\"?"
        );
    }

    TEST_CASE("a choice that has the words takes true and false") {
        const auto type = choice({{"off"}, {"auto"}, {"true", "auto"}, {"false", "off"}});
        check_meanings(type, {{true, "auto"}, {false, "off"}, {"False", "off"}});
        check_refused(choice({{"off"}, {"on"}}), {true, false});
        const auto quiet =
            choice({{"warning"}, {.written = "warn", .canonical = "warning", .offered = false}});
        CHECK(read(quiet, "warn").value == "warning");
        CHECK(quiet->rule() == R"(one of "warning")");
    }

    TEST_CASE("worker classes by gunicorn's names") {
        const auto type = worker_class_name();
        check_meanings(
            type,
            {{"sync", "sync"},
             {"GEVENT", "async"},
             {"egg:gunicorn#gevent", "async"},
             {"egg:gunicorn#gthread", "gthread"},
             {"gunicorn.workers.gthread.ThreadWorker", "gthread"},
             {"gunicorn.workers.geventlet.EventletWorker", "eventlet"},
             {"uvicorn_worker.UvicornH11Worker", "sync"}}
        );
        check_refused(
            type,
            {"tornado", "egg:gunicorn#tornado", "aiohttp.GunicornWebWorker", "egg:other#thing", "x.Y", 1}
        );
        CHECK(read(type, "gevnt").faults.front().text.ends_with("did you mean \"gevent\"?"));
        // Python is asked about what nobody here knows, and about nothing else.
        CHECK(type->names_class("x.Y"));
        CHECK(type->names_class("x:Y"));
        for (const json& known :
             {json("gevnt"), json("egg:x#y"), json("aiohttp.GunicornWebWorker"), json(1)}) {
            CHECK_FALSE(type->names_class(known));
        }
    }

    TEST_CASE("accounts by name and by number") {
        check_meanings(
            account(), {{"www-data", "www-data"}, {65534, "65534"}, {"0", "0"}, {nullptr, nullptr}}
        );
        check_refused(account(), {-1, 1.5, true, json::array()});
    }

    TEST_CASE("objects, or the names of such") {
        const json dictionary{{"version", 1}};
        check_meanings(
            named_object(),
            {{dictionary, dictionary}, {"a.b:c", "a.b:c"}, {"a.b.c", "a.b:c"}, {"/x y/z.py:c", "/x y/z.py:c"}}
        );
        check_refused(named_object(), {"", "a", "a b:c", "a:b c", "./x.py:c", 1, nullptr});
        CHECK(read(anything(), 2).value == 2);
    }

    TEST_CASE("networks") {
        check_meanings(
            network_list(),
            {{"127.0.0.1, ::1", {"127.0.0.1", "::1"}},
             {json::array({"10.0.0.0/8", "*"}), {"10.0.0.0/8", "*"}},
             {"", json::array()},
             {json::array(), json::array()}}
        );
        check_refused(network_list(), {"localhost", "192.168.1.1/24", 1, nullptr, json::object()});
        const auto mixed = read(network_list(), json::array({"::1", 7, "nowhere"}));
        REQUIRE(mixed.faults.size() == 2);
        CHECK(mixed.faults[0].path == "/1");
        CHECK(mixed.faults[1].path == "/2");
    }

    TEST_CASE("header field names and what they mean") {
        check_meanings(
            field_name_list(),
            {{"script_name,Path_Info", {"SCRIPT_NAME", "PATH_INFO"}}, {"*", json::array({"*"})}}
        );
        check_refused(field_name_list(), {"a b", "x:y", 1});
        check_meanings(field_map(), {{{{"x-forwarded-proto", "https"}}, {{"X-FORWARDED-PROTO", "https"}}}});
        check_refused(field_map(), {"x", json::array(), {{"X", 1}}, {{"a b", "c"}}, {{"X", "a\r\nb"}}});
        CHECK(read(field_map(), {{"X/Y", 1}}).faults[0].path == "/X~1Y");
    }

    TEST_CASE("environment variables") {
        const json one = json::array({"A=b=c"});
        check_meanings(
            environment_list(),
            {{one, one},
             {"A=b=c", one},
             {{{"A", "b=c"}}, one},
             {json::array({"A="}), json::array({"A="})},
             {json::object(), json::array()}}
        );
        CHECK(environment_list()->filed(one) == ordered_json{{"A", "b=c"}});
        check_refused(
            environment_list(),
            {"A",
             json::array({"=b"}),
             json::array({1}),
             {{"A", 1}},
             {{"", "x"}},
             5,
             {{"A=B", "x"}},
             json::array({std::string("A=b\0c", 5)})}
        );
    }

    TEST_CASE("addresses to listen on") {
        check_meanings(
            bind_list(),
            {{":80", json::array({":80"})},
             {json::array({"[::1]:80", "unix:/a"}), {"[::1]:80", "unix:/a"}},
             {"", json::array({"0.0.0.0:8000"})},
             {json::array({":0", ":0"}), {":0", ":0"}}}
        );
        check_meanings(
            bind_list(presence::optional_value),
            {{nullptr, json::array()},
             {"", json::array()},
             {json::array(), json::array()},
             {"unix:/a", json::array({"unix:/a"})}}
        );
        check_refused(bind_list(), {json::array(), 8000, nullptr, json::array({8000}), "nowhere:http"});
        const auto twice = read(bind_list(), json::array({"localhost:80", "LOCALHOST:80"}));
        REQUIRE(twice.faults.size() == 1);
        CHECK(twice.faults[0].path == "/1");
        CHECK(twice.faults[0].text == "\"LOCALHOST:80\" is given twice: give it once");
    }

    TEST_CASE("a message stays short and on one line") {
        const auto long_text = read(whole_number(0), std::string(5000, 'x') + "\n");
        CHECK(long_text.faults[0].text.size() < 300);
        const auto broken = read(whole_number(0), "\xff\xfe\n");
        CHECK(broken.faults[0].text.find('\n') == std::string::npos);
    }
}
