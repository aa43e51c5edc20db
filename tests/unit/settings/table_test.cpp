// SPDX-License-Identifier: MIT
#include "settings/setting.hpp"

#include "support/doctest.hpp"

#include <nlohmann/json.hpp>

#include <set>
#include <string>

using namespace unicoro::settings;

TEST_SUITE("table") {
    TEST_CASE("every row is whole") {
        std::set<std::string_view> names;
        std::set<std::string_view> flags;
        for (const setting& row : all_settings()) {
            CAPTURE(row.name);
            CHECK(names.insert(row.name).second);
            if (!row.other_name.empty()) CHECK(names.insert(row.other_name).second);
            for (const auto flag : flags_of(row)) CHECK(flags.insert(flag).second);
            CHECK_FALSE(row.help.empty());
            CHECK_FALSE(row.help.ends_with('.'));
            REQUIRE(row.type != nullptr);
            CHECK((row.status == availability::now) == row.remark.empty());
            const bool takes_value = row.form != flag_form::switch_on && row.form != flag_form::switch_off;
            if (!row.flags.empty() && takes_value) CHECK_FALSE(row.metavar.empty());
            // What works now has a place in the struct, unless it is asked and answered at the
            // start.
            const bool settled = row.kept || row.scope == scope::command_line;
            if (row.status == availability::now) CHECK(settled);
        }
    }

    TEST_CASE("a default is a value of its own type and means itself") {
        for (const setting& row : all_settings()) {
            if (row.scope == scope::command_line) continue;
            CAPTURE(row.name);
            json initial;
            default_value(row, initial);
            REQUIRE_FALSE(initial.is_discarded());
            json value;
            std::vector<fault> faults;
            row.type->read(initial, value, faults);
            CHECK(faults.empty());
            CHECK(value == initial);
        }
    }

    TEST_CASE("words that a shell offers are values") {
        for (const setting& row : all_settings()) {
            CAPTURE(row.name);
            for (const auto word : row.type->words()) {
                CAPTURE(word);
                CHECK(row.type->accepts(word));
            }
        }
    }

    TEST_CASE("storing a default changes nothing") {
        for (const setting& row : all_settings()) {
            if (!row.kept) continue;
            CAPTURE(row.name);
            json before;
            default_value(row, before);
            server_settings settings;
            row.kept.store(settings, before, {.source = "", .place = "", .as_default = true});
            json after;
            row.kept.fetch(settings, after);
            CHECK(after == before);
        }
    }

    TEST_CASE("the flags that people use with gunicorn exist") {
        for (const char* flag :
             {"-c",
              "--config",
              "-b",
              "--bind",
              "-w",
              "--workers",
              "-k",
              "--worker-class",
              "--threads",
              "--worker-connections",
              "--backlog",
              "-p",
              "--pid",
              "--access-logfile",
              "--access-logformat",
              "--error-logfile",
              "--log-file",
              "--log-level",
              "--limit-request-line",
              "--limit-request-fields",
              "--limit-request-field-size",
              "--limit-request-field_size",
              "-t",
              "--timeout",
              "--daemon",
              "-D",
              "--chdir",
              "--graceful-timeout",
              "--keep-alive",
              "--reload",
              "--spew",
              "--check-config",
              "--print-config",
              "-e",
              "--env",
              "--max-requests",
              "--max-requests-jitter",
              "--preload",
              "-u",
              "--user",
              "-g",
              "--group",
              "-m",
              "--umask",
              "--initgroups",
              "--reuse-port",
              "-n",
              "--name",
              "--pythonpath",
              "--capture-output",
              "--forwarded-allow-ips",
              "--proxy-protocol",
              "--proxy-allow-from",
              "--certfile",
              "--keyfile",
              "--ca-certs",
              "--cert-reqs",
              "--ciphers",
              "--statsd-host",
              "--statsd-prefix",
              "--log-syslog",
              "--log-syslog-to",
              "--log-syslog-prefix",
              "--log-syslog-facility",
              "-R",
              "--enable-stdio-inheritance",
              "--worker-tmp-dir",
              "--no-sendfile",
              "--logger-class",
              "--log-config",
              "--log-config-json",
              "--dogstatsd-tags",
              "--paste",
              "--paste-global",
              "--reload-engine",
              "--reload-extra-file",
              "--permit-obsolete-folding",
              "--header-map",
              "--forwarder-headers",
              "--casefold-http-method",
              "--strip-header-spaces",
              "--http-parser",
              "--asgi-loop",
              "--asgi-lifespan",
              "--root-path",
              "--control-socket",
              "--no-control-socket",
              "--dirty-app",
              "-v",
              "--version",
              "-h",
              "--help"}) {
            CAPTURE(flag);
            CHECK(find_flag(flag) != nullptr);
        }
    }

    TEST_CASE("hints for keys and flags") {
        CHECK(nearest_key("wokers") == "workers");
        CHECK(nearest_key("log_level") == "loglevel");
        CHECK(nearest_key("access-logfile") == "accesslog");
        CHECK(nearest_key("keep_alive") == "keepalive");
        CHECK(nearest_key("Workers") == "workers");
        CHECK_FALSE(nearest_key("zebra_crossing").has_value());
        CHECK(nearest_flag("--wokers") == "--workers");
        CHECK(nearest_flag("--loglevel") == "--log-level");
        CHECK(nearest_flag("--accesslog") == "--access-logfile");
        CHECK(nearest_flag("--worker-conn") == "--worker-connections");
        CHECK_FALSE(nearest_flag("--limit-request").has_value());
        CHECK_FALSE(nearest_flag("--zebra").has_value());
        CHECK_FALSE(nearest_flag("-Z").has_value());
    }
}
