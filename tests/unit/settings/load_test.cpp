// SPDX-License-Identifier: MIT
#include "settings/load.hpp"

#include "start.hpp"

#include <chrono>

using namespace settings_tests;
using unicoro::settings::worker_class;

TEST_SUITE("load") {
    TEST_CASE("nothing given") {
        start s;
        const auto v = s.load_with_app({}).settings;
        CHECK(v.workers == 1);
        CHECK(v.worker_class == worker_class::sync);
        REQUIRE(v.bind.size() == 1);
        CHECK(v.bind[0].host == "127.0.0.1");
        CHECK(v.bind[0].port == 8000);
        CHECK(v.timeout == std::chrono::seconds(30));
        CHECK_FALSE(v.config_file.has_value());
    }

    TEST_CASE("later sources win") {
        start s;
        s.environment["WEB_CONCURRENCY"] = "2";
        CHECK(s.load_with_app({}).settings.workers == 2);
        s.folder.write("unicoro.json", R"({"workers": 3, "app": "file:app"})");
        CHECK(s.load().settings.workers == 3);
        CHECK(s.load().settings.app == "app:app");
        s.environment["UNICORO_CMD_ARGS"] = "-w 4 variable:app";
        CHECK(s.load().settings.workers == 4);
        CHECK(s.load_with_app({"-w", "5"}).settings.workers == 5);
        s.arguments.clear();
        CHECK(s.load().settings.app == "variable:app");
        s.environment.erase("UNICORO_CMD_ARGS");
        CHECK(s.load().settings.app == "file:app");
    }

    TEST_CASE("lists are replaced, not joined") {
        start s;
        s.folder.write("unicoro.json", R"({"bind": [":1", ":2"], "raw_env": {"A": "1", "B": "2"}})");
        CHECK(s.load_with_app({}).settings.bind.size() == 2);
        s.environment["UNICORO_CMD_ARGS"] = "-b :3 -e C=3";
        auto v = s.load().settings;
        REQUIRE(v.bind.size() == 1);
        CHECK(v.bind[0].port == 3);
        REQUIRE(v.raw_env.size() == 1);
        v = s.load_with_app({"-b", ":4", "-b", ":5"}).settings;
        REQUIRE(v.bind.size() == 2);
        CHECK(v.bind[1].port == 5);
    }

    TEST_CASE("which file") {
        start s;
        s.folder.write("a.json", R"({"workers": 2})");
        s.folder.write("b.json", R"({"workers": 3})");
        s.folder.write("unicoro.json", R"({"workers": 4})");
        CHECK(s.load_with_app({}).settings.workers == 4);
        s.environment["UNICORO_CMD_ARGS"] = "-c a.json";
        CHECK(s.load().settings.workers == 2);
        const auto result = s.load_with_app({"--config", "b.json"});
        CHECK(result.settings.workers == 3);
        CHECK(result.settings.config_file == (s.folder.path() / "b.json").string());
    }

    TEST_CASE("the file is looked for where the start was, not in chdir") {
        start s;
        s.folder.write("sub/unicoro.json", R"({"workers": 9})");
        s.folder.write("unicoro.json", R"({"chdir": "sub", "workers": 2})");
        const auto result = s.load_with_app({});
        CHECK(joined(result.errors) == "");
        CHECK(result.settings.workers == 2);
        CHECK(result.settings.chdir == "sub");
    }

    TEST_CASE("a second load sees the file as it is then") {
        start s;
        s.folder.write("unicoro.json", R"({"workers": 2})");
        CHECK(s.load_with_app({}).settings.workers == 2);
        s.folder.write("unicoro.json", R"({"workers": 7})");
        CHECK(s.load().settings.workers == 7);
        s.folder.write("unicoro.json", R"({"workers": )");
        CHECK_FALSE(s.load().ok());
    }

    TEST_CASE("defaults from the environment") {
        start s;
        s.environment = {{"PORT", "9001"}, {"FORWARDED_ALLOW_IPS", "*"}, {"SENDFILE", "no"}};
        auto v = s.load_with_app({}).settings;
        REQUIRE(v.bind.size() == 1);
        CHECK(v.bind[0].host == "0.0.0.0");
        CHECK(v.bind[0].port == 9001);
        CHECK(v.forwarded_allow_ips == std::vector<std::string>{"*"});
        CHECK_FALSE(v.sendfile);
        s.environment = {{"PORT", ""}, {"SENDFILE", "Yes"}, {"WEB_CONCURRENCY", "auto"}};
        v = s.load().settings;
        CHECK(v.bind[0].port == 8000);
        CHECK(v.sendfile);
        CHECK(v.workers == 6);
    }

    TEST_CASE("a broken variable matters only while nothing wins over it") {
        start s;
        s.environment = {{"PORT", "tcp://10.0.0.1:80"}, {"WEB_CONCURRENCY", "many"}};
        const auto result = s.load_with_app({});
        CHECK(result.errors.size() == 2);
        CHECK(mentions(result.errors, "environment: PORT: "));
        CHECK(mentions(result.errors, "environment: WEB_CONCURRENCY: must be a whole number"));
        CHECK(joined(s.load_with_app({"-b", ":80", "-w", "2"}).errors) == "");
    }

    TEST_CASE("errors of all sources come together, those that are overridden too") {
        start s;
        s.folder.write("unicoro.json", R"({"workers": -1, "nope": 1})");
        s.environment["UNICORO_CMD_ARGS"] = "--timeout x";
        const auto result = s.load_with_app({"-w", "2", "--backlog", "y", "--pid", "no/such/a.pid"});
        CAPTURE(joined(result.errors));
        CHECK(result.errors.size() == 5);
        CHECK(mentions(result.errors, "unicoro.json: /workers: "));
        CHECK(mentions(result.errors, "unicoro.json: /nope: "));
        CHECK(mentions(result.errors, "UNICORO_CMD_ARGS: --timeout: "));
        CHECK(mentions(result.errors, "command line: --backlog: "));
        CHECK(mentions(result.errors, "command line: --pid: the folder "));
    }

    TEST_CASE("not available yet") {
        start s;
        struct row {
            std::vector<std::string> flags;
            const char* message;
        };
        for (const row& r : {
                 row{{"--protocol", "uwsgi"}, "command line: --protocol is not available yet: let the proxy"},
                 row{{"--reload", "--preload"},
                     "command line: --reload: does not go with command line: --preload"},
                 row{{"-k", "tornado"}, "\"tornado\" is refused: Tornado has its own"},
                 row{{"--strip-header-spaces"}, "--strip-header-spaces is refused"},
             }) {
            CAPTURE(joined(r.flags));
            const auto result = s.load_with_app(r.flags);
            CHECK(result.errors.size() == 1);
            CAPTURE(joined(result.errors));
            CHECK(mentions(result.errors, r.message));
        }
        s.folder.write(
            "unicoro.json",
            R"({"protocol": "uwsgi", "hooks": {"when_ready": "a.b"}, "reload": false, "paste": null})"
        );
        const auto result = s.load_with_app({"--threads", "1", "--proxy-protocol", "off"});
        CAPTURE(joined(result.errors));
        CHECK(result.errors.size() == 1);
        CHECK(mentions(result.errors, "unicoro.json: /protocol is not available yet"));
    }

    TEST_CASE("threads make the class sync gthread") {
        start s;
        CHECK(s.load_with_app({"--threads", "4"}).settings.worker_class == worker_class::gthread);
        CHECK(s.load_with_app({"--threads", "1"}).settings.worker_class == worker_class::sync);
        const auto result = s.load_with_app({"--threads", "4", "-k", "async"});
        CHECK(result.settings.worker_class == worker_class::async);
        CHECK(mentions(result.warnings, "command line: --threads: has no effect with this worker"));
    }

    TEST_CASE("worker classes by other names") {
        start s;
        for (const char* name : {"async", "gevent", "gevent_wsgi", "gevent_pywsgi"}) {
            CAPTURE(name);
            const auto result = s.load_with_app({"-k", name});
            CHECK(result.ok());
            CHECK(result.settings.worker_class == worker_class::async);
        }
        // ASGI runs in the same way under each class; nothing is patched for it under this one.
        for (const char* name : {"asgi", "uvicorn.workers.UvicornWorker"}) {
            CAPTURE(name);
            CHECK(s.load_with_app({"-k", name}).settings.worker_class == worker_class::sync);
        }
    }

    TEST_CASE("the engine that watches files") {
        start s;
        for (const char* name : {"auto", "inotify"}) {
            const auto result = s.load_with_app({"--reload-engine", name});
            CHECK(result.ok());
            CHECK(result.warnings.empty());
        }
        CHECK(mentions(
            s.load_with_app({"--reload-engine", "poll"}).warnings,
            "--reload-engine has no meaning here: files are watched with inotify"
        ));
    }

    TEST_CASE("settings without meaning are said to be so") {
        start s;
        const auto result = s.load_with_app({"--worker-tmp-dir", "/dev/shm", "--http-parser", "fast"});
        CHECK(result.ok());
        CHECK(
            joined(result.warnings) ==
            "command line: --worker-tmp-dir has no meaning here: the heartbeat goes through shared "
            "memory; no "
            "file is written; remove it\n"
            "command line: --http-parser has no meaning here: there is one parser, and it is "
            "native; remove "
            "it\n"
        );
        CHECK(s.load_with_app({"--asgi-loop", "auto"}).warnings.empty());
        s.environment["GUNICORN_CMD_ARGS"] = "-w 4";
        CHECK(mentions(s.load_with_app({}).warnings, "UNICORO_CMD_ARGS"));
    }

    TEST_CASE("rules between settings") {
        start s;
        CHECK(mentions(
            s.load_with_app({"--reuse-port", "-b", ":80", "-b", "unix:/tmp/x"}).errors,
            "command line: --reuse-port: needs TCP addresses only, not \"unix:/tmp/x\" of command "
            "line: --bind"
        ));
        CHECK(s.load_with_app({"--reuse-port", "-b", ":80"}).ok());
        CHECK(mentions(
            s.load_with_app({"--max-requests-jitter", "5"}).warnings, "has no effect without max_requests"
        ));
        CHECK(mentions(
            s.load_with_app({"--max-worker-lifetime-jitter", "5"}).warnings,
            "has no effect without max_worker_lifetime"
        ));
        CHECK(mentions(
            s.load_with_app({"--max-worker-memory-jitter", "5m"}).warnings,
            "has no effect without max_worker_memory"
        ));
        CHECK(s.load_with_app({"--worker-memory-limit", "5m"}).errors.empty());
        CHECK(mentions(
            s.load_with_app({"--worker-memory-limit",
                             "5m",
                             "--max-worker-memory",
                             "4m",
                             "--max-worker-memory-jitter",
                             "1m"})
                .errors,
            "must be more than"
        ));
        CHECK(mentions(s.load_with_app({"--capture-output"}).warnings, "give errorlog a file"));
        CHECK(s.load_with_app({"-D", "--error-logfile", "-"}).ok());
    }

    TEST_CASE("folders that do not exist") {
        start s;
        s.folder.write("sub/file", "");
        CHECK(mentions(s.load_with_app({"--chdir", "gone"}).errors, "gone\" does not exist: create it"));
        CHECK(mentions(s.load_with_app({"--chdir", "sub/file"}).errors, "is not a folder"));
        CHECK(mentions(
            s.load_with_app({"--error-logfile", "no/e.log"}).errors,
            "of the file \"no/e.log\" does not exist: create it"
        ));
        CHECK(mentions(s.load_with_app({"--access-logfile", "sub"}).errors, "is a folder, not a file"));
        CHECK(s.load_with_app({"--error-logfile", "sub/e.log"}).ok());
        CHECK(s.load_with_app({"--chdir", "sub", "--error-logfile", "e.log"}).ok());
        CHECK_FALSE(s.load_with_app({"--chdir", "sub", "--error-logfile", "sub/e.log"}).ok());
        // The folder that is missing is said once, not again for each file in it.
        CHECK(s.load_with_app({"--chdir", "gone", "--error-logfile", "e.log"}).errors.size() == 1);
    }

    TEST_CASE("the request of this process") {
        const auto request =
            unicoro::settings::request_of_process({"/usr/bin/unicoro", "-w", "2", "app:app"});
        CHECK(request.program == "/usr/bin/unicoro");
        CHECK(request.arguments == std::vector<std::string>{"-w", "2", "app:app"});
        CHECK(request.directory.is_absolute());
        CHECK(request.count_cpus() >= 1);
        CHECK(request.environment("PATH").has_value());
        CHECK_FALSE(request.environment("UNICORO_TEST_NO_SUCH_VARIABLE").has_value());
    }
}
