// SPDX-License-Identifier: MIT
// What people write who come from other servers, or write it for the first time.
#include "start.hpp"

using namespace settings_tests;

TEST_SUITE("first steps") {
    TEST_CASE("flags of other servers say what to write here") {
        struct row {
            std::vector<std::string> flags;
            const char* said;
        };
        for (const row& r : {
                 row{{"--host", "0.0.0.0", "--port", "80"},
                     "command line: --host is a flag of uvicorn, Flask and others; write --bind 0.0.0.0:80\n"
                     "command line: --port is a flag of uvicorn, Flask and others; write --bind 0.0.0.0:80\n"
                 },
                 row{{"--host=::1"},
                     "command line: --host is a flag of uvicorn, Flask and others; write --bind [::1]:8000\n"
                 },
                 row{{"--port", "9000"},
                     "command line: --port is a flag of uvicorn, Flask and others; write --bind "
                     "127.0.0.1:9000\n"},
                 row{{"--factory"},
                     "command line: --factory is a flag of uvicorn; write the call, in quotes for the shell: "
                     "\"app:app()\"\n"},
                 row{{"--uds", "/run/a.sock"},
                     "command line: --uds is a flag of uvicorn; write --bind unix:/run/a.sock\n"},
                 row{{"--no-access-log"},
                     "command line: --no-access-log is a flag of uvicorn; leave it out: there is none "
                     "without "
                     "--access-logfile\n"},
                 row{{"--env-file", ".env"},
                     "command line: --env-file is a flag of uvicorn; write -e NAME=VALUE, or "
                     "EnvironmentFile= into the systemd unit\n"},
                 row{{"--http", ":8000"}, "command line: --http is a flag of uWSGI; write --bind :8000\n"},
                 row{{"--http", "h11"}, "command line: --http is a flag of uvicorn; leave it out\n"},
                 row{{"--listen", "*:80"}, "command line: --listen is a flag of Waitress; write --bind *:80\n"
                 },
             }) {
            start s;
            CHECK(joined(s.load_with_app(r.flags).errors) == r.said);
        }
    }

    TEST_CASE("a port alone") {
        start s;
        const std::string remedy =
            "is a port alone: write :8000 for all addresses, or 127.0.0.1:8000 for this machine\n";
        CHECK(joined(s.load_with_app({"-b", "8000"}).errors) == "command line: --bind: \"8000\" " + remedy);
        s.folder.write("unicoro.json", R"({"bind": 8000})");
        CHECK(joined(s.load_with_app({}).errors) == "unicoro.json: /bind: \"8000\" " + remedy);
        s.folder.write("unicoro.json", R"({"bind": ["127.0.0.1:1", 8000]})");
        CHECK(joined(s.load_with_app({}).errors) == "unicoro.json: /bind/1: \"8000\" " + remedy);
        s.folder.write("unicoro.json", "{}");
        CHECK(joined(s.load_with_app({"-b", "80000"}).errors).find("is a number") != std::string::npos);
        CHECK(s.load_with_app({"-b", ":8000"}).ok());
        CHECK(s.load_with_app({"-b", "1.8000"}).ok());
    }

    TEST_CASE("settings in another format") {
        struct row {
            const char* name;
            const char* text;
            const char* format;
        };
        for (const row& r : {
                 row{"a.yaml", "bind: x\n", "YAML"},
                 row{"a.yml", "{ broken", "YAML"},
                 row{"a.toml", "[x]\n", "TOML"},
                 row{"a.ini", "x", "an INI file"},
                 row{"a.json", "# settings\n\nbind: 127.0.0.1:8000\n", "YAML"},
                 row{"a.json", "---\nbind: x\n", "YAML"},
                 row{"a", "bind = \"127.0.0.1:8000\"\n", "TOML, or Python in a file that is not named *.py"},
                 row{"a", "; x\n[server:main]\n", ""},
                 row{"a", "[server]\nbind = x\n", "an INI file, or TOML"},
             }) {
            CAPTURE(r.text);
            start s;
            s.folder.write(r.name, r.text);
            const std::string said = joined(s.load_with_app({"-c", r.name}).errors);
            CAPTURE(said);
            if (*r.format == '\0') {
                CHECK(said.find("line 1") != std::string::npos);
            } else {
                CHECK(said.starts_with(
                    std::string(r.name) + ": is " + r.format + "; settings are written in JSON"
                ));
            }
        }
    }

    TEST_CASE("slips in JSON") {
        struct row {
            const char* text;
            const char* remedy;
        };
        for (const row& r : {
                 row{R"({"workers": 2,})", "; remove the comma before it"},
                 row{R"({"bind": ["a:1", ]})", "; remove the comma before it"},
                 row{"{'workers': 2}", "; text must be in double quotes"},
                 row{R"({"daemon": True})", "; write true or false"},
                 row{R"({"pidfile": None})", "; write null"},
                 row{"{\n# how many\n\"workers\": 2}", "; a comment begins with //"},
             }) {
            CAPTURE(r.text);
            start s;
            s.folder.write("unicoro.json", r.text);
            const std::string said = joined(s.load_with_app({}).errors);
            CAPTURE(said);
            CHECK(said.starts_with("unicoro.json: line "));
            CHECK(said.ends_with(std::string(r.remedy) + "\n"));
        }
    }

    TEST_CASE("the class of workers as it was written, and where the addresses were") {
        start s;
        CHECK(s.load_with_app({"-k", "asgi"}).settings.worker_class_name == "asgi");
        CHECK(s.load_with_app({"-k", "gevent"}).settings.worker_class_name == "gevent");
        CHECK(s.load_with_app({"-k", "sync", "--threads", "2"}).settings.worker_class_name.empty());
        CHECK(s.load_with_app({}).settings.worker_class_name.empty());
        CHECK(s.load_with_app({}).settings.bind_origin.empty());
        CHECK(s.load_with_app({"-b", ":1"}).settings.bind_origin == "command line: --bind");
        s.environment["PORT"] = "5000";
        CHECK(s.load_with_app({}).settings.bind_origin.empty());
        s.folder.write("unicoro.json", R"({"bind": ":2"})");
        CHECK(s.load_with_app({}).settings.bind_origin == "unicoro.json: /bind");
    }
}
