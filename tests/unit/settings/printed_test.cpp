// SPDX-License-Identifier: MIT
#include "settings/print.hpp"

#include "settings/setting.hpp"
#include "start.hpp"

#include <nlohmann/json.hpp>

#include <iterator>
#include <sstream>

using namespace settings_tests;

namespace {

const fs::path source_root{UNICORO_SOURCE_ROOT};

std::string contents(const fs::path& file) {
    std::ifstream stream(file);
    return {std::istreambuf_iterator<char>(stream), {}};
}

/// The value after "name =" in a printed configuration.
std::string value_of(const std::string& printed, const std::string& name) {
    std::istringstream lines(printed);
    std::string line;
    while (std::getline(lines, line)) {
        const auto equals = line.find(" = ");
        if (equals == std::string::npos) continue;
        if (line.substr(0, line.find(' ')) == name) return line.substr(equals + 3);
    }
    return "(absent)";
}

}  // namespace

TEST_SUITE("printed") {
    TEST_CASE("docs/settings.md is what the table says") {
        INFO("run: unicoro --print-settings-doc > docs/settings.md");
        CHECK(contents(source_root / "docs/settings.md") == unicoro::settings::print_settings_doc());
    }

    TEST_CASE("config/unicoro.schema.json is what the table says") {
        INFO("run: unicoro --print-schema > config/unicoro.schema.json");
        CHECK(contents(source_root / "config/unicoro.schema.json") == unicoro::settings::print_schema());
    }

    TEST_CASE("the sample file is without fault") {
        start s;
        // Its folder is one that is there.
        std::string text = contents(source_root / "config/unicoro.json");
        const std::string folder = "\"/srv/app\"";
        REQUIRE(text.find(folder) != std::string::npos);
        text.replace(text.find(folder), folder.size(), "\"" + s.folder.path().string() + "\"");
        s.folder.write("sample.json", text);
        s.arguments = {"-c", "sample.json"};
        const auto result = s.load();
        CHECK(joined(result.errors) == "");
        CHECK(joined(result.warnings) == "");
        CHECK_FALSE(result.settings.app.empty());
        CHECK(result.settings.python == "/srv/app/.venv");
    }

    TEST_CASE("the schema has every key of the file") {
        const auto schema = nlohmann::json::parse(unicoro::settings::print_schema());
        CHECK(schema["$schema"] == "https://json-schema.org/draft/2020-12/schema");
        CHECK(schema["additionalProperties"] == false);
        const auto& properties = schema["properties"];
        CHECK(properties.contains("$schema"));
        CHECK(properties.contains("wsgi_app"));
        CHECK_FALSE(properties.contains("config"));
        for (const auto& row : unicoro::settings::all_settings()) {
            if (row.scope == unicoro::settings::scope::command_line) continue;
            CAPTURE(row.name);
            CHECK(properties.contains(std::string(row.name)));
        }
        CHECK(properties["backlog"]["maximum"] == 2147483647);
        CHECK(properties["loglevel"]["anyOf"][0]["enum"].size() == 5);
        CHECK(properties["paste"]["const"].is_null());
        CHECK(properties["timeout"]["default"] == 30);
    }

    TEST_CASE("the configuration in gunicorn's form") {
        start s;
        const auto result = s.load_with_app(
            {"-b",
             ":80",
             "-b",
             "unix:/a'b",
             "-t",
             "0.5",
             "-e",
             "A=b",
             "-D",
             "--access-logfile",
             "-",
             "-k",
             "gevent"}
        );
        const auto printed = unicoro::settings::print_config(result.settings);
        CHECK(value_of(printed, "bind") == R"([':80', "unix:/a'b"])");
        CHECK(value_of(printed, "timeout") == "0.5");
        CHECK(value_of(printed, "graceful_timeout") == "30");
        CHECK(value_of(printed, "raw_env") == "['A=b']");
        CHECK(value_of(printed, "daemon") == "True");
        CHECK(value_of(printed, "reload") == "False");
        CHECK(value_of(printed, "accesslog") == "-");
        CHECK(value_of(printed, "pidfile") == "None");
        CHECK(value_of(printed, "worker_class") == "async");
        CHECK(value_of(printed, "app") == "app:app");
        CHECK(value_of(printed, "config") == "None");
        CHECK(value_of(printed, "check_config") == "(absent)");
        CHECK(
            value_of(printed, "secure_scheme_headers") ==
            "{'X-FORWARDED-PROTO': 'https', 'X-FORWARDED-PROTOCOL': 'ssl', 'X-FORWARDED-SSL': 'on'}"
        );
    }

    TEST_CASE("its lines are sorted and aligned") {
        std::istringstream lines(unicoro::settings::print_config({}));
        std::string line;
        std::string last;
        std::size_t column = 0;
        std::size_t count = 0;
        while (std::getline(lines, line)) {
            const auto equals = line.find(" = ");
            REQUIRE(equals != std::string::npos);
            if (count++ == 0) column = equals;
            CHECK(equals == column);
            const std::string name = line.substr(0, line.find(' '));
            CHECK(last < name);
            last = name;
        }
        CHECK(count > 100);
    }
}
