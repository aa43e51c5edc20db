// SPDX-License-Identifier: MIT
#include "settings/layer.hpp"

#include "start.hpp"

using namespace settings_tests;
using unicoro::settings::action;
using unicoro::settings::read_command_line;

TEST_SUITE("command_line") {
    TEST_CASE("short, long and glued forms") {
        for (const std::vector<std::string>& flags : {
                 std::vector<std::string>{"-w", "4"},
                 {"-w4"},
                 {"-w=4"},
                 {"--workers", "4"},
                 {"--workers=4"},
                 {"-w", "9", "-w", "4"},
             }) {
            CAPTURE(joined(flags));
            start s;
            const auto result = s.load_with_app(flags);
            CHECK(joined(result.errors) == "");
            CHECK(result.settings.workers == 4);
            CHECK(result.settings.app == "app:app");
        }
    }

    TEST_CASE("the command line of an existing deployment") {
        start s;
        s.folder.write("log/x", "");
        const auto result = s.load_with_app(
            {"-k",
             "gevent",
             "-w",
             "2",
             "--worker-connections",
             "2000",
             "-b",
             "0.0.0.0:8000",
             "-b",
             "unix:/tmp/a.sock",
             "-t",
             "60",
             "--graceful-timeout",
             "0.5",
             "--keep-alive",
             "75",
             "-D",
             "-p",
             "a.pid",
             "--access-logfile",
             "-",
             "--error-logfile",
             "log/error.log",
             "--log-level",
             "DEBUG",
             "-e",
             "A=1",
             "-e",
             "B=x y",
             "--max-requests",
             "1000",
             "--max-requests-jitter",
             "50",
             "-m",
             "022",
             "--limit-request-field_size",
             "16k",
             "--pythonpath",
             "a,b",
             "-n",
             "shop",
             "--no-sendfile",
             "--forwarded-allow-ips",
             "10.0.0.0/8,127.0.0.1",
             "-u",
             "www-data",
             "-g",
             "www-data",
             "--initgroups",
             "--capture-output",
             "-R"}
        );
        CHECK(joined(result.errors) == "");
        CHECK(joined(result.warnings) == "");
        const auto& v = result.settings;
        CHECK(v.worker_class == unicoro::settings::worker_class::async);
        CHECK(v.worker_connections == 2000);
        REQUIRE(v.bind.size() == 2);
        CHECK(v.bind[0].port == 8000);
        CHECK(v.bind[1].path == "/tmp/a.sock");
        CHECK(v.timeout == std::chrono::seconds(60));
        CHECK(v.graceful_timeout == std::chrono::milliseconds(500));
        CHECK(v.keepalive == std::chrono::seconds(75));
        CHECK(v.daemon);
        CHECK(v.pidfile == "a.pid");
        CHECK(v.accesslog == "-");
        CHECK(v.errorlog == "log/error.log");
        CHECK(v.loglevel == unicoro::settings::log_level::debug);
        REQUIRE(v.raw_env.size() == 2);
        CHECK(v.raw_env[1] == std::pair<std::string, std::string>{"B", "x y"});
        CHECK(v.max_requests == 1000);
        CHECK(v.umask == 022);
        CHECK(v.policy.limit_request_field_size == 16384);
        CHECK(v.pythonpath == std::vector<std::string>{"a", "b"});
        CHECK(v.proc_name == "shop");
        CHECK_FALSE(v.sendfile);
        CHECK(v.forwarded_allow_ips == std::vector<std::string>{"10.0.0.0/8", "127.0.0.1"});
        CHECK(v.initgroups);
        CHECK(v.capture_output);
        CHECK(v.enable_stdio_inheritance);
    }

    TEST_CASE("values that look odd to a parser") {
        start s;
        CHECK(s.load_with_app({"-b", "[::1]"}).settings.bind[0].host == "::1");
        CHECK(s.load_with_app({"-b", ""}).settings.bind[0].host == "0.0.0.0");
        CHECK(s.load_with_app({"--bind="}).settings.bind[0].host == "0.0.0.0");
        CHECK(s.load_with_app({"--server-header="}).settings.server_header.empty());
        CHECK(s.load_with_app({"-e", "A=--b"}).settings.raw_env[0].second == "--b");
        CHECK(s.load_with_app({"--name=--x"}).settings.proc_name == "--x");
        CHECK(s.load_with_app({"--daemon=false"}).settings.daemon == false);
        CHECK(s.load_with_app({"-DR"}).settings.enable_stdio_inheritance);
        CHECK(s.load_with_app({"--"}).settings.app == "app:app");
        CHECK(joined(s.load_with_app({"--proxy-protocol=off"}).errors) == "");
        CHECK(s.load_with_app({"--proxy-protocol"}).settings.app == "app:app");
    }

    TEST_CASE("each mistake is named, and all of them") {
        start s;
        const auto result =
            s.load_with_app({"--wokers", "-w", "-1", "-k", "asinc", "-t", "soon", "--nothing-like-it"});
        CHECK(
            joined(result.errors) ==
            "command line: unknown flag --wokers; did you mean --workers?\n"
            "command line: unknown flag --nothing-like-it (--help lists all)\n"
            "command line: --workers: must be a whole number from 0 to 4096, or \"auto\", not "
            "\"-1\"\n"
            "command line: --worker-class: must be one of \"sync\", \"async\", \"gthread\", "
            "\"eventlet\", "
            "\"gevent\", \"gevent_wsgi\", \"gevent_pywsgi\", \"asgi\", "
            "or the name of a worker class of gunicorn or uvicorn, not "
            "\"asinc\"; did you mean \"async\"?\n"
            "command line: --timeout: must be a number of seconds from 0 to 31536000, not "
            "\"soon\"\n"
        );
    }

    TEST_CASE("flags without their value") {
        start s;
        s.arguments = {"app:app", "-b", "--workers", "-D", "--timeout"};
        const auto result = s.load();
        CHECK(
            joined(result.errors) ==
            "command line: -b needs a value (ADDRESS)\n"
            "command line: --workers needs a value (N|auto)\n"
            "command line: --timeout needs a value (SECONDS)\n"
        );
    }

    TEST_CASE("one application") {
        start s;
        s.arguments = {"a:app", "b:app"};
        CHECK(mentions(s.load().errors, "unexpected argument \"b:app\""));
        s.arguments = {};
        CHECK(mentions(s.load().errors, "no application given"));
        s.arguments = {"--print-config"};
        CHECK(joined(s.load().errors) == "");
        s.arguments = {"--wokers", "4", "app:app"};
        CHECK(s.load().errors.size() == 1);
    }

    TEST_CASE("questions instead of a server") {
        struct row {
            std::vector<std::string> arguments;
            action asked;
        };
        for (const row& r : {
                 row{{"app"}, action::run},
                 row{{"-h"}, action::help},
                 row{{"--help", "--bogus"}, action::help},
                 row{{"-v"}, action::version},
                 row{{"--version"}, action::version},
                 row{{"--check-config", "app"}, action::check_config},
                 row{{"--check-config", "--print-config", "app"}, action::print_config},
                 row{{"--print-schema"}, action::print_schema},
                 row{{"--print-settings-doc"}, action::print_settings_doc},
                 row{{"--print-settings-doc", "--help"}, action::help},
                 row{{"--print-man"}, action::print_man},
                 row{{"--print-completion", "zsh"}, action::print_completion},
                 row{{"--print-completion", "zsh", "--migrate", "x.py"}, action::migrate},
             }) {
            CAPTURE(joined(r.arguments));
            start s;
            s.arguments = r.arguments;
            const auto result = s.load();
            CHECK(result.action == r.asked);
            CHECK(joined(result.errors) == "");
        }
    }

    TEST_CASE("the value of a question") {
        start s;
        s.arguments = {"--print-completion", "ZSH", "--migrate", "x.py"};
        CHECK(s.load().subject == "x.py");
        s.arguments = {"--print-completion=ZSH"};
        CHECK(s.load().subject == "zsh");
        s.arguments = {"--print-completion", "tcsh"};
        CHECK(
            joined(s.load().errors) ==
            "command line: --print-completion: must be one of \"bash\", \"zsh\", \"fish\", not \"tcsh\"\n"
        );
        s.arguments = {"--print-completion", "tcsh", "--help"};
        CHECK(s.load().ok());
    }

    TEST_CASE("the variable is read like a command line") {
        start s;
        s.environment["UNICORO_CMD_ARGS"] = "--workers 3 --env 'A=b c' --wokers";
        const auto result = s.load_with_app({});
        CHECK(result.settings.workers == 3);
        CHECK(result.settings.raw_env[0].second == "b c");
        CHECK(joined(result.errors) == "UNICORO_CMD_ARGS: unknown flag --wokers; did you mean --workers?\n");
        s.environment["UNICORO_CMD_ARGS"] = "--env 'A=b";
        CHECK(joined(s.load().errors) == "UNICORO_CMD_ARGS: the text has a ' that is not closed\n");
    }
}
