// SPDX-License-Identifier: MIT
// What a program sets that embeds the server counts, in place of files and flags.
#include "settings/key_problem.hpp"
#include "start.hpp"

#include <utility>

namespace settings = unicoro::settings;

namespace {

settings::outcome told(const std::string& answer, std::map<std::string, std::string> environment = {}) {
    settings::load_request request;
    request.arguments = {"--workers", "7", "other:app"};
    request.environment = [variables = std::move(environment)](const std::string& name
                          ) -> std::optional<std::string> {
        const auto found = variables.find(name);
        if (found == variables.end()) return std::nullopt;
        return found->second;
    };
    request.directory = "/";
    request.count_cpus = [] { return 6; };
    request.embedded = true;
    request.run_python_file = [answer](const settings::python_question& asked) {
        if (!asked.classes.empty()) {
            return settings::python_answer{
                R"({"classes": {"_unicoro.program:logger_class": {"lineage": []}}})", ""
            };
        }
        return settings::python_answer{answer, answer.empty() ? "TypeError: no" : ""};
    };
    return settings::load(request);
}

}  // namespace

TEST_CASE("what a program sets is in force") {
    const settings::outcome outcome =
        told(R"({"name": "Site", "app": "site:Site", "values": {)"
             R"("workers": ["value", 2, null, null], "threads": ["value", null, null, null],)"
             R"("post_fork": ["function", "function", null, null],)"
             R"("logger_class": ["class", "__config__.logger_class", [], null]}})");
    CHECK(outcome.errors.empty());
    CHECK(outcome.settings.workers == 2);
    CHECK(outcome.settings.threads == 1);
    CHECK(outcome.settings.app == "site:Site");
    CHECK(outcome.settings.hooks.at("post_fork") == "_unicoro.program:post_fork");
}

TEST_CASE("defaults of the environment are below a program, and flags are not read") {
    const std::map<std::string, std::string> variables{
        {"WEB_CONCURRENCY", "3"}, {"UNICORO_CMD_ARGS", "--threads 9"}, {"GUNICORN_CMD_ARGS", "--threads 9"}
    };
    const settings::outcome outcome =
        told(R"({"name": "Site", "app": "site:Site", "values": {}})", variables);
    CHECK(outcome.ok());
    CHECK(outcome.warnings.empty());
    CHECK(outcome.settings.workers == 3);
    CHECK(outcome.settings.threads == 1);
}

TEST_CASE("what is wrong with a program's settings is said with its name") {
    CHECK(
        told(R"({"name": "Site", "app": "site:Site", "failure": "line 3: KeyError: 'x'"})").errors ==
        std::vector<std::string>{"Site: line 3: KeyError: 'x'"}
    );
    CHECK(told("").errors == std::vector<std::string>{"the program: TypeError: no"});
    const settings::outcome outcome =
        told(R"({"name": "Site", "app": "site:Site", "values": {"interface": ["value", "wsg", null, null]}})"
        );
    REQUIRE(outcome.errors.size() == 1);
    CHECK(outcome.errors.front().starts_with("Site: interface: "));
}

TEST_CASE("the application of a program is what it loads") {
    const settings::outcome outcome = told(
        R"({"name": "Site", "app": "site:Site", "values": {"wsgi_app": ["value", "other:app", null, null]}})"
    );
    CHECK(outcome.ok());
    CHECK(outcome.settings.app == "site:Site");
    CHECK(outcome.warnings.size() == 1);
}

TEST_CASE("keys that are none") {
    CHECK(settings::key_problem("workers").empty());
    CHECK(settings::key_problem("wsgi_app").empty());
    CHECK(settings::key_problem("workerz") == "unknown setting; did you mean \"workers\"?");
    CHECK(settings::key_problem("qqqqqqqq") == "unknown setting (--print-schema lists all)");
    CHECK(settings::key_problem("config") == "can only be given on the command line, as --config");
}
