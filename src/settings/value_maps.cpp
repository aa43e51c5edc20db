// SPDX-License-Identifier: MIT
#include "base/text.hpp"
#include "settings/path_prefix.hpp"
#include "settings/value_types.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <iterator>

namespace unicoro::settings {
namespace {

std::string key_path(const std::string& key) {
    return json::json_pointer().operator/=(key).to_string();
}

/// A hook and when it is called. One with a `refusal` cannot be used here.
struct hook {
    std::string_view name;
    std::string_view help;
    std::string_view refusal = {};
};

constexpr std::string_view no_tls =
    "the server makes its context of certfile, tls_min_version, ciphers and their like";
constexpr std::string_view no_dirty = "there are no helper processes; use a job queue";

constexpr std::array<hook, 20> known_hooks{{
    {"on_starting", "(server): in the master, before it starts"},
    {"on_reload", "(server): in the master, on SIGHUP"},
    {"when_ready", "(server): in the master, when it listens"},
    {"pre_fork", "(server, worker): in the master, before a worker is forked"},
    {"post_fork", "(server, worker): in a worker, after the fork"},
    {"post_worker_init", "(worker): in a worker, when the application is loaded"},
    {"worker_int", "(worker): in a worker, on SIGINT or SIGQUIT"},
    {"worker_abort", "(worker): in a worker, on SIGABRT"},
    {"pre_exec", "(server): in the master, before an upgrade (USR2) starts the new program"},
    {"pre_request", "(worker, request): in a worker, before a request"},
    {"post_request", "(worker, request, environ, response): in a worker, after a request"},
    {"child_exit", "(server, worker): in the master, when a worker has ended"},
    {"worker_exit", "(server, worker): in a worker, before it ends"},
    {"nworkers_changed", "(server, new, old): in the master, when the number of workers changes"},
    {"on_exit", "(server): in the master, before it ends"},
    {"ssl_context", {}, no_tls},
    {"on_dirty_starting", {}, no_dirty},
    {"dirty_post_fork", {}, no_dirty},
    {"dirty_worker_init", {}, no_dirty},
    {"dirty_worker_exit", {}, no_dirty},
}};

const hook* find_hook(std::string_view name) {
    const auto* const found = std::find_if(known_hooks.begin(), known_hooks.end(), [&](const hook& each) {
        return each.name == name;
    });
    return found == known_hooks.end() ? nullptr : found;
}

/// What an object maps its keys to is one line of text, checked and made canonical by subclasses.
class text_map_type : public value_type {
  public:
    void read(const json& written, json& value, std::vector<fault>& faults) const override {
        if (!written.is_object()) {
            faults.push_back(rejected(written, rule()));
            return;
        }
        value = json::object();
        for (const auto& [key, entry] : written.items()) {
            const std::string problem = key_problem(key);
            if (!problem.empty()) {
                faults.push_back({key_path(key), problem});
                continue;
            }
            const std::string text = entry.is_string()
                                         ? std::string(base::trim(entry.get_ref<const std::string&>()))
                                         : std::string();
            std::string canonical = base::has_control_byte(text) ? std::string() : canonical_entry(text);
            if (canonical.empty()) {
                faults.push_back(rejected(entry, entry_rule(), key_path(key)));
            } else {
                value[key] = std::move(canonical);
            }
        }
    }

  protected:
    /// What is wrong with a key, or "".
    virtual std::string key_problem(const std::string& key) const = 0;
    /// The canonical text, "" = wrong.
    virtual std::string canonical_entry(const std::string& text) const = 0;
    virtual std::string entry_rule() const = 0;
};

class app_map_type final : public text_map_type {
  public:
    std::string rule() const override {
        return R"(an object of path prefixes and applications, such as {"/": "app:app"})";
    }

    void describe(ordered_json& schema) const override {
        schema["type"] = "object";
        schema["propertyNames"] = ordered_json{{"pattern", path_prefix_pattern}};
        schema["additionalProperties"] = ordered_json{{"type", "string"}, {"minLength", 1}};
    }

  protected:
    std::string key_problem(const std::string& key) const override { return path_prefix_problem(key); }

    std::string canonical_entry(const std::string& text) const override { return text; }

    std::string entry_rule() const override { return "an application: MODULE:NAME or ./LIBRARY.so:NAME"; }
};

class folder_map_type final : public text_map_type {
  public:
    std::string rule() const override {
        return R"(an object of path prefixes and folders, such as {"/static": "site/static"})";
    }

    void describe(ordered_json& schema) const override {
        schema["type"] = "object";
        schema["propertyNames"] = ordered_json{{"pattern", "^/[^?#]*[^/?#]$"}};
        schema["additionalProperties"] = ordered_json{{"type", "string"}, {"minLength", 1}};
    }

  protected:
    std::string key_problem(const std::string& key) const override {
        if (key != "/") return path_prefix_problem(key);
        return "must lie below the root: what no file is there for would never reach the application";
    }

    std::string canonical_entry(const std::string& text) const override { return text; }

    std::string entry_rule() const override { return "the path of a folder"; }
};

class cache_map_type final : public text_map_type {
  public:
    std::string rule() const override {
        return R"(an object of patterns and Cache-Control fields, such as {"*.js": "max-age=3600"})";
    }

    void describe(ordered_json& schema) const override {
        schema["type"] = "object";
        schema["additionalProperties"] = ordered_json{{"type", "string"}, {"minLength", 1}};
    }

  protected:
    std::string key_problem(const std::string& key) const override {
        return key.empty() ? "must be a pattern of paths, such as \"*.css\"" : "";
    }

    std::string canonical_entry(const std::string& text) const override {
        return std::ranges::all_of(text, [](char byte) { return byte >= ' ' && byte <= '~'; }) ? text : "";
    }

    std::string entry_rule() const override { return "the value of a Cache-Control field, in ASCII"; }
};

bool is_dotted_name(std::string_view text) {
    bool at_start = true;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool digit = byte >= '0' && byte <= '9';
        const bool letter = (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';
        if (c == '.' ? at_start : !(letter || c == '_' || byte >= 0x80 || (digit && !at_start))) {
            return false;
        }
        at_start = c == '.';
    }
    return !at_start;
}

class hook_map_type final : public text_map_type {
  public:
    std::string rule() const override {
        return R"(an object of hooks and functions, such as {"post_fork": "hooks:post_fork"})";
    }

    void describe(ordered_json& schema) const override {
        schema["type"] = "object";
        schema["additionalProperties"] = false;
        for (const hook& each : known_hooks) {
            if (!each.refusal.empty()) continue;
            schema["properties"][std::string(each.name)] = ordered_json{
                {"description", "Called with " + std::string(each.help) + "."},
                {"type", "string"},
                {"minLength", 1}
            };
        }
    }

  protected:
    std::string key_problem(const std::string& key) const override {
        if (const hook* const known = find_hook(key)) {
            if (known->refusal.empty()) return {};
            return "is not available yet: " + std::string(known->refusal);
        }
        const std::vector<std::string_view> names = hook_names();
        std::string text = "unknown hook";
        if (const auto meant = base::nearest(key, names)) {
            return text + "; did you mean \"" + std::string(*meant) + "\"?";
        }
        for (const auto name : names)
            text += (name == names.front() ? ": known are " : ", ") + std::string(name);
        return text;
    }

    std::string canonical_entry(const std::string& text) const override { return canonical_reference(text); }

    std::string entry_rule() const override { return "a function: MODULE:FUNCTION or /FILE.py:FUNCTION"; }
};

}  // namespace

std::string canonical_reference(std::string_view text) {
    auto colon = text.rfind(':');
    // gunicorn's own notation has a dot in front of the name.
    if (colon == std::string::npos && text.find('/') == std::string::npos) colon = text.rfind('.');
    if (colon == std::string::npos || base::has_control_byte(text)) return {};
    const std::string_view place = text.substr(0, colon);
    if (!place.starts_with('/') && !is_dotted_name(place)) return {};
    if (!is_dotted_name(text.substr(colon + 1))) return {};
    std::string name(text);
    name[colon] = ':';
    return name;
}

std::vector<std::string_view> hook_names() {
    std::vector<std::string_view> names;
    names.reserve(std::size(known_hooks));
    for (const hook& each : known_hooks) names.push_back(each.name);
    return names;
}

std::string_view hook_refusal(std::string_view name) {
    const hook* const known = find_hook(name);
    return known != nullptr ? known->refusal : std::string_view();
}

bool is_hook(std::string_view name) {
    return find_hook(name) != nullptr;
}

value_type_ptr app_map() {
    return std::make_shared<app_map_type>();
}

value_type_ptr folder_map() {
    return std::make_shared<folder_map_type>();
}

value_type_ptr cache_map() {
    return std::make_shared<cache_map_type>();
}

value_type_ptr hook_map() {
    return std::make_shared<hook_map_type>();
}

}  // namespace unicoro::settings
