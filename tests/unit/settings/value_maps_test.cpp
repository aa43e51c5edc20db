// SPDX-License-Identifier: MIT
#include "settings/cross_check.hpp"
#include "settings/setting.hpp"
#include "settings/value_types.hpp"

#include "support/doctest.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <utility>
#include <vector>

using namespace unicoro::settings;

namespace {

/// The canonical form, or "PATH: TEXT" of the only fault.
json read(const value_type_ptr& type, const json& written) {
    json value;
    std::vector<fault> faults;
    type->read(written, value, faults);
    if (faults.empty()) return value;
    CHECK(faults.size() == 1);
    return faults.front().path + ": " + faults.front().text;
}

bool refuses(const value_type_ptr& type, const json& written, std::string_view reason) {
    const json answer = read(type, written);
    INFO(answer.dump());
    if (!answer.is_string()) return false;
    return answer.get_ref<const std::string&>().find(reason) != std::string::npos;
}

server_settings with_apps(const json& written, std::string app = {}) {
    server_settings settings;
    settings.app = std::move(app);
    const setting* const row = find_setting("apps");
    row->kept.store(settings, read(row->type, written), {.source = "", .place = "", .as_default = true});
    return settings;
}

std::string place_of(std::string_view name) {
    return "file: /" + std::string(name);
}

using pairs = std::vector<std::pair<std::string, std::string>>;

}  // namespace

TEST_SUITE("value_maps") {
    TEST_CASE("applications by prefix") {
        const auto type = app_map();
        const json good{{"/", "app:app"}, {"/api", " api:asgi "}, {"/fast/v1", "./libfast.so:app"}};
        json canonical = good;
        canonical["/api"] = "api:asgi";
        CHECK(read(type, good) == canonical);
        CHECK(read(type, json::object()) == json::object());
        CHECK(refuses(type, {{"api", "a:b"}}, "/api: the path prefix \"api\" must begin with"));
        CHECK(refuses(type, {{"", "a:b"}}, "must begin with \"/\""));
        CHECK(refuses(type, {{"/api/", "a:b"}}, "/~1api~1: the path prefix \"/api/\" must not end"));
        CHECK(refuses(type, {{"/a//b", "a:b"}}, "empty segments"));
        CHECK(refuses(type, {{"/a/../b", "a:b"}}, "empty segments"));
        CHECK(refuses(type, {{"/a/.", "a:b"}}, "empty segments"));
        CHECK(refuses(type, {{"/a?b", "a:b"}}, "without query"));
        CHECK(refuses(type, {{"/", ""}}, "must be an application"));
        CHECK(refuses(type, {{"/", 1}}, "must be an application: MODULE:NAME or ./LIBRARY.so:NAME, not 1"));
        CHECK(refuses(type, json::array({"app:app"}), "must be an object of path prefixes"));
        CHECK(refuses(type, "app:app", "must be an object of path prefixes"));
    }

    TEST_CASE("the longest prefix comes first") {
        const auto settings = with_apps({{"/", "r"}, {"/a", "a"}, {"/b", "b"}, {"/a/long", "l"}});
        CHECK(settings.apps == pairs{{"/a/long", "l"}, {"/a", "a"}, {"/b", "b"}, {"/", "r"}});
    }

    TEST_CASE("app is what is served under /") {
        auto settings = with_apps({{"/a", "a"}}, "app:app");
        CHECK_FALSE(join_apps(settings, place_of).has_value());
        CHECK(settings.apps == pairs{{"/a", "a"}, {"/", "app:app"}});

        settings = with_apps({{"/", "other:app"}}, "app:app");
        const auto clash = join_apps(settings, place_of);
        REQUIRE(clash.has_value());
        CHECK(
            *clash ==
            "file: /app: \"app:app\" and \"other:app\" of file: /apps are both meant for "
            "\"/\": remove one of the two"
        );

        settings = with_apps(json::object(), "app:app");
        CHECK_FALSE(join_apps(settings, place_of).has_value());
        CHECK(settings.apps.empty());
    }

    TEST_CASE("hooks") {
        const auto type = hook_map();
        CHECK(
            read(
                type,
                {{"post_fork", "hooks:post_fork"},
                 {"on_exit", "pkg.hooks.bye"},
                 {"pre_fork", "/etc/app/gunicorn.conf.py:pre_fork"},
                 {"post_request", "pkg.hooks:Class.method"}}
            ) ==
            json{
                {"post_fork", "hooks:post_fork"},
                {"on_exit", "pkg.hooks:bye"},
                {"pre_fork", "/etc/app/gunicorn.conf.py:pre_fork"},
                {"post_request", "pkg.hooks:Class.method"}
            }
        );
        CHECK(refuses(type, {{"postfork", "a:b"}}, "/postfork: unknown hook; did you mean \"post_fork\"?"));
        CHECK(refuses(type, {{"zebra", "a:b"}}, "unknown hook: known are on_starting, "));
        CHECK(refuses(
            type, {{"ssl_context", "a:b"}}, "/ssl_context: is not available yet: the server makes its context"
        ));
        CHECK(refuses(type, {{"dirty_post_fork", "a:b"}}, "is not available yet"));
        for (const char* wrong :
             {"",
              "post_fork",
              "a b:c",
              "a:",
              ":b",
              "a.:b",
              "1a:b",
              "a:b c",
              "conf.d/hooks.py:f",
              "./hooks.py:f",
              "a:b:c"}) {
            CAPTURE(wrong);
            CHECK(refuses(type, {{"post_fork", wrong}}, "must be a function: MODULE:FUNCTION"));
        }
        CHECK(refuses(type, {{"post_fork", nullptr}}, "not null"));
        CHECK(refuses(type, "a:b", "must be an object of hooks"));
        CHECK(is_hook("post_fork"));
        CHECK(is_hook("ssl_context"));
        CHECK_FALSE(is_hook("workers"));
    }
}
