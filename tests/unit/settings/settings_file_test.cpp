// SPDX-License-Identifier: MIT
#include "start.hpp"

using namespace settings_tests;

namespace {

std::string errors_of(std::string_view json) {
    start s;
    s.folder.write("unicoro.json", json);
    return joined(s.load_with_app({}).errors);
}

}  // namespace

TEST_SUITE("settings_file") {
    TEST_CASE("three mistakes are reported together") {
        CHECK(
            errors_of(R"({"wokers": 4, "timeout": "soon", "backlog": -1})") ==
            "unicoro.json: /wokers: unknown setting; did you mean \"workers\"?\n"
            "unicoro.json: /backlog: must be a whole number from 0 to 2147483647, not -1\n"
            "unicoro.json: /timeout: must be a number of seconds from 0 to 31536000, not \"soon\"\n"
        );
    }

    TEST_CASE("places inside a value are pointed at") {
        CHECK(
            errors_of(R"({"bind": [":80", 8000], "raw_env": {"A/B": 1}})") ==
            "unicoro.json: /bind/1: \"8000\" is a port alone: write :8000 for all addresses, or "
            "127.0.0.1:8000 "
            "for this machine\n"
            "unicoro.json: /raw_env/A~1B: must be a string (write it in quotes), not 1\n"
        );
    }

    TEST_CASE("broken JSON names line and column") {
        const auto text = errors_of("{\n  \"workers\": 4,\n  \"bind\" \":80\"\n}\n");
        CAPTURE(text);
        CHECK(text.starts_with("unicoro.json: line 3, column 14: syntax error"));
        CHECK(text.ends_with("\n"));
        CHECK(std::count(text.begin(), text.end(), '\n') == 1);
        CHECK(errors_of("").starts_with("unicoro.json: line 1, column 1: syntax error"));
        CHECK(errors_of("{} {}").starts_with("unicoro.json: line 1, column 4: syntax error"));
        CHECK(errors_of("[]") == "unicoro.json: must hold one object, { ... }\n");
        CHECK(errors_of("{\"workers\": 1,}").find("syntax error") != std::string::npos);
    }

    TEST_CASE("keys given twice") {
        CHECK(
            errors_of(R"({"workers": 1, "workers": 2})") ==
            "unicoro.json: /workers: this key is given twice; keep one\n"
        );
        CHECK(
            errors_of(R"({"raw_env": {"A": "1", "A": "2"}})") ==
            "unicoro.json: /raw_env/A: this key is given twice; keep one\n"
        );
        CHECK(
            errors_of(R"({"logconfig_dict": {"a": [{}, {"b": 1, "b": 2}]}})")
                .find("/logconfig_dict/a/1/b: this key is given twice") != std::string::npos
        );
        CHECK(
            errors_of(R"({"app": "a", "wsgi_app": "b"})").find("means the same as /app; keep one") !=
            std::string::npos
        );
    }

    TEST_CASE("comments and the schema's address may stand in it") {
        start s;
        s.folder.write("unicoro.json", R"(// our server
            {"$schema": "./x.json", /* two */ "workers": 2, "wsgi_app": "shop:app"})");
        const auto result = s.load();
        CHECK(joined(result.errors) == "");
        CHECK(result.settings.workers == 2);
        CHECK(result.settings.app == "shop:app");
        CHECK(result.settings.config_file == (s.folder.path() / "unicoro.json").string());
    }

    TEST_CASE("every kind of value") {
        start s;
        s.folder.write("unicoro.json", R"({
            "app": "./libhello.so:app", "interface": "native", "workers": "auto",
            "worker_class": "async",
            "bind": ["[::]:80", "fd://3"], "backlog": "100", "timeout": 0.25, "daemon": true,
            "raw_env": {"A": "1"}, "limit_request_body": "10M", "umask": "0o027", "sendfile": false,
            "forwarded_allow_ips": ["10.0.0.0/8"], "secure_scheme_headers": {"x-ssl": "yes"},
            "forwarder_headers": "*", "header_map": "refuse", "accesslog": "-", "pidfile": null,
            "access_log_format": "json", "server_header": "", "pythonpath": ["lib"], "threads": 1
        })");
        const auto result = s.load();
        CHECK(joined(result.errors) == "");
        const auto& v = result.settings;
        CHECK(v.app == "./libhello.so:app");
        CHECK(v.interface == unicoro::settings::app_interface::native);
        CHECK(v.workers == 6);
        CHECK(v.bind.size() == 2);
        CHECK(v.backlog == 100);
        CHECK(v.timeout == std::chrono::milliseconds(250));
        CHECK(v.daemon);
        CHECK(v.raw_env[0].first == "A");
        CHECK(v.policy.limit_request_body == 10485760);
        CHECK(v.umask == 027);
        CHECK_FALSE(v.sendfile);
        CHECK(v.policy.secure_scheme_headers == std::map<std::string, std::string>{{"X-SSL", "yes"}});
        CHECK(v.policy.forwarder_headers == std::vector<std::string>{"*"});
        CHECK(v.policy.header_map == unicoro::http::underscore_fields::refuse);
        CHECK(v.accesslog == "-");
        CHECK_FALSE(v.pidfile.has_value());
        CHECK(v.access_log_format == "json");
        CHECK(v.server_header.empty());
    }

    TEST_CASE("what belongs on the command line") {
        CHECK(
            errors_of(R"({"config": "x.json"})") ==
            "unicoro.json: /config: can only be given on the command line, as --config\n"
        );
    }

    TEST_CASE("hooks have an object of their own") {
        CHECK(
            errors_of(R"({"post_fork": "a.b"})") ==
            "unicoro.json: /post_fork: unknown setting; a hook is written as \"hooks\": "
            "{\"post_fork\": \"MODULE:FUNCTION\"}\n"
        );
    }

    TEST_CASE("files that cannot be read") {
        start s;
        CHECK(
            joined(s.load_with_app({"-c", "no.json"}).errors) ==
            "no.json: cannot be read: No such file or directory\n"
        );
        CHECK(joined(s.load_with_app({"-c", "."}).errors) == ".: is a folder, not a file\n");
        CHECK(mentions(s.load_with_app({"-c", ""}).errors, "needs the path"));
        for (const char* python : {"gunicorn.conf.py", "file:conf.py", "python:app.conf"}) {
            CAPTURE(python);
            const auto errors = s.load_with_app({"-c", python}).errors;
            CHECK(errors.size() == 1);
            CHECK(mentions(errors, "a Python file cannot be read here"));
        }
        CHECK(s.load_with_app({}).warnings.empty());
        s.folder.write("gunicorn.conf.py", "workers = 4");
        CHECK(mentions(s.load().errors, "gunicorn.conf.py: a Python file cannot be read here"));
        s.folder.write("other.json", R"({"workers": 5})");
        CHECK(s.load_with_app({"-c", "file:other.json"}).settings.workers == 5);
    }
}
