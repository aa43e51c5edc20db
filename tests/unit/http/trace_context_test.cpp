// SPDX-License-Identifier: MIT
#include "http/trace_context.hpp"

#include "support/doctest.hpp"

#include <string>
#include <vector>

using namespace unicoro::http;

namespace {

constexpr std::string_view valid = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

std::vector<std::string> settled(trace_policy how, std::vector<field> fields) {
    trace_fields traces;
    traces.settle(how, fields);
    std::vector<std::string> names;
    for (const field& each : fields) names.push_back(std::string(each.name) + '=' + std::string(each.value));
    return names;
}

}  // namespace

TEST_SUITE("trace context") {
    TEST_CASE("values that can be gone on with") {
        CHECK(is_traceparent(valid));
        CHECK(trace_id_of(valid) == "4bf92f3577b34da6a3ce929d0e0e4736");
        CHECK(is_traceparent("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes"));
        for (const std::string_view wrong :
             {"",
              "00",
              "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
              "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
              "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.more",
              "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
              "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
              "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
              "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g",
              "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}) {
            CAPTURE(wrong);
            CHECK_FALSE(is_traceparent(wrong));
            CHECK(trace_id_of(wrong).empty());
        }
    }

    TEST_CASE("fields") {
        const std::string one = "Traceparent=" + std::string(valid);
        using names = std::vector<std::string>;
        CHECK(
            settled(trace_policy::accept, {{"Traceparent", valid}, {"tracestate", "a=b"}}) ==
            names{one, "tracestate=a=b"}
        );
        CHECK(
            settled(trace_policy::accept, {{"a", "b"}, {"traceparent", "x"}, {"tracestate", "a=b"}}) ==
            names{"a=b"}
        );
        CHECK(settled(trace_policy::accept, {{"traceparent", valid}, {"Traceparent", valid}}).empty());
        CHECK(settled(trace_policy::accept, {{"tracestate", "a=b"}}).empty());
        CHECK(settled(trace_policy::pass, {{"traceparent", "x"}}) == names{"traceparent=x"});
    }

    TEST_CASE("a trace that begins here") {
        trace_fields traces;
        std::vector<field> first{{"tracestate", "a=b"}};
        traces.settle(trace_policy::make, first);
        REQUIRE(first.size() == 1);
        CHECK(first[0].name == "traceparent");
        CHECK(is_traceparent(first[0].value));
        CHECK(first[0].value.ends_with("-01"));
        const std::string before(first[0].value);
        std::vector<field> second;
        traces.settle(trace_policy::make, second);
        CHECK(second.at(0).value != before);
        std::vector<field> given{{"traceparent", valid}};
        traces.settle(trace_policy::make, given);
        CHECK((given.size() == 1 && given[0].value == valid));
    }
}
