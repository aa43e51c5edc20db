// SPDX-License-Identifier: MIT
#include "app/app_spec.hpp"
#include "app/location.hpp"
#include "app/media_type.hpp"
#include "app/percent.hpp"
#include "support/doctest.hpp"

#include <unicoro/application.hpp>

#include <cstring>
#include <sstream>
#include <string>

using namespace unicoro::app;

TEST_SUITE("location") {
    using unicoro::app::encoded_slash;
    using unicoro::app::mounted_length;

    TEST_CASE("a prefix takes whole segments, encoded or not") {
        CHECK(mounted_length("/api/x", "/api") == 4);
        CHECK(mounted_length("/api", "/api") == 4);
        CHECK(mounted_length("/apix", "/api") == std::nullopt);
        CHECK(mounted_length("/ap", "/api") == std::nullopt);
        CHECK(mounted_length("/%61pi/x", "/api") == 6);
        CHECK(mounted_length("/%61pi", "/api") == 6);
        CHECK(mounted_length("/a%2Fb", "/a/b") == std::nullopt);
        CHECK(mounted_length("/a%2Fb", "/a") == std::nullopt);
        CHECK(mounted_length("/a%2Fb", "/a/b", encoded_slash::ends_segment) == 6);
        CHECK(mounted_length("/a%2fb", "/a", encoded_slash::ends_segment) == 2);
        CHECK(mounted_length("/a%2b", "/a", encoded_slash::ends_segment) == std::nullopt);
        CHECK(mounted_length("/a%2", "/a%2") == 4);
        CHECK(mounted_length("/anything", "") == 0);
        CHECK(mounted_length("", "") == 0);
    }

    TEST_CASE("the longest prefix counts, below the server's own mount") {
        unicoro::settings::server_settings values;
        values.apps = {{"/api/v2", "c"}, {"/api", "b"}, {"/", "a"}};
        const locator places(values);
        unicoro::http::request_head head;
        struct row {
            const char* mount;
            const char* path;
            std::size_t application;
            const char* script_name;
            const char* below;
        };
        for (const row& each : {
                 row{"", "/api/v2/x", 0, "/api/v2", "/x"},
                 row{"", "/%61pi/v3", 1, "/api", "/v3"},
                 row{"", "/api", 1, "/api", ""},
                 row{"", "/apis", 2, "", "/apis"},
                 row{"", "/", 2, "", "/"},
                 row{"", "", 2, "", ""},
                 row{"", "*", 2, "", "*"},
                 row{"/site", "*", 2, "", "*"},
                 row{"/site", "/site/api/x", 1, "/site/api", "/x"},
                 row{"/site", "/s%69te/x", 2, "/site", "/x"},
                 row{"/site", "/site", 2, "/site", ""},
             }) {
            CAPTURE(each.mount);
            CAPTURE(each.path);
            head.script_name = each.mount;
            head.path = each.path;
            const auto found = places.find(head);
            REQUIRE(found.has_value());
            CHECK(found->application == each.application);
            CHECK(found->script_name() == each.script_name);
            CHECK(found->path == each.below);
        }
    }

    TEST_CASE("outside there is nothing") {
        unicoro::settings::server_settings values;
        unicoro::http::request_head head;
        head.script_name = "/site";
        for (const char* path : {"/", "/sites", "", "/other/site"}) {
            CAPTURE(path);
            head.path = path;
            CHECK_FALSE(locator(values).find(head).has_value());
        }
        values.apps = {{"/api", "b"}};
        head.script_name = "";
        for (const char* path : {"/", "/apis", "", "*"}) {
            CAPTURE(path);
            head.path = path;
            CHECK_FALSE(locator(values).find(head).has_value());
        }
    }
}

TEST_SUITE("app_spec") {
    TEST_CASE("tells libraries from modules and splits at the first colon") {
        struct row {
            const char* text;
            app_language language;
            const char* module;
            const char* attribute;
        };
        for (const row& r : {
                 row{"app:app", app_language::python, "app", "app"},
                 row{"pkg.mod", app_language::python, "pkg.mod", ""},
                 row{"m:create(\"a:b\", k=1)", app_language::python, "m", "create(\"a:b\", k=1)"},
                 row{"./libhello.so:app", app_language::native, "./libhello.so", "app"},
                 row{"libhello.so", app_language::native, "libhello.so", ""},
                 row{"libhello.so.1:x", app_language::native, "libhello.so.1", "x"},
                 row{"/opt/a/lib:app", app_language::native, "/opt/a/lib", "app"},
                 row{"./app.py:app", app_language::python, "./app.py", "app"},
                 row{"/srv/site.so/app.py", app_language::python, "/srv/site.so/app.py", ""},
             }) {
            CAPTURE(r.text);
            const app_spec spec = parse_app_spec(r.text);
            CHECK(spec.language == r.language);
            CHECK(spec.module == r.module);
            CHECK(spec.attribute == r.attribute);
        }
    }
}

TEST_SUITE("percent") {
    TEST_CASE("decodes pairs of hex digits and leaves the rest") {
        CHECK(percent_decode("/a%20b%2Fc", plus_sign::literal) == "/a b/c");
        CHECK(percent_decode("a+b", plus_sign::literal) == "a+b");
        CHECK(percent_decode("a+b", plus_sign::space) == "a b");
        CHECK(percent_decode("100%", plus_sign::literal) == "100%");
        CHECK(percent_decode("%4", plus_sign::literal) == "%4");
        CHECK(percent_decode("%zz%41", plus_sign::literal) == "%zzA");
        CHECK(percent_decode("%00", plus_sign::literal) == std::string(1, '\0'));
    }
}

TEST_SUITE("media_type") {
    TEST_CASE("a table of the system's") {
        std::istringstream table("# a comment\ntext/x-thing\tthing THG # two\nimage/none\nimage/some some\n");
        const auto found = unicoro::app::read_media_types(table);
        CHECK(found.size() == 3);
        CHECK(found.at("thing") == "text/x-thing; charset=utf-8");
        CHECK(found.at("thg") == "text/x-thing; charset=utf-8");
        CHECK(found.at("some") == "image/some");
    }

    TEST_CASE("goes by the last extension, without case") {
        CHECK(media_type("a/b.min.JS") == "text/javascript; charset=utf-8");
        CHECK(media_type("archive.tar.gz") == "application/gzip");
        CHECK(media_type("README") == "application/octet-stream");
        CHECK(media_type("x.unknown") == "application/octet-stream");
        CHECK(media_type("folder.d/name") == "application/octet-stream");
    }
}

TEST_SUITE("application") {
    TEST_CASE("starts with the magic and the tag that the loader reads first") {
        const unicoro::application app{};
        std::uint64_t magic = 0;
        std::memcpy(&magic, &app, sizeof magic);
        CHECK(magic == unicoro::application_magic);
        CHECK(std::memcmp(&app, "unicoro1", 8) == 0);
        const char* abi = nullptr;
        std::memcpy(&abi, reinterpret_cast<const char*>(&app) + sizeof magic, sizeof abi);
        CHECK(std::string(abi) == unicoro::abi_tag());
        CHECK(std::string(abi).find("Boost 1_") != std::string::npos);
    }
}
