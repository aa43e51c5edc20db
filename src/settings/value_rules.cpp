// SPDX-License-Identifier: MIT
#include "base/text.hpp"
#include "settings/path_prefix.hpp"
#include "settings/value_types.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstddef>

namespace unicoro::settings {
namespace {

constexpr std::size_t most_rules = 1000;
constexpr std::int64_t most_requests = 10'000'000;

class path_type final : public value_type {
  public:
    void read(const json& written, json& value, std::vector<fault>& faults) const override {
        if (!written.is_string()) {
            faults.push_back(rejected(written, rule()));
            return;
        }
        const std::string problem = path_prefix_problem(written.get_ref<const std::string&>());
        if (!problem.empty()) {
            faults.push_back({"", problem});
            return;
        }
        value = written;
    }

    std::string rule() const override { return R"(a path such as "/report")"; }

    void describe(ordered_json& schema) const override {
        schema["type"] = "string";
        schema["pattern"] = path_prefix_pattern;
    }
};

/// A key of a rule.
struct part {
    std::string_view name;
    value_type_ptr type;
    std::string_view help;
};

const std::array<part, 7>& parts() {
    static const std::array<part, 7> all{{
        {"path", std::make_shared<path_type>(), "Where it applies: this path and all below it"},
        {"max_concurrent_requests",
         whole_number(0, most_requests),
         "How many of them run at once in a worker; 0 = only the worker's own limit"},
        {"max_queued_requests", whole_number(0, most_requests), "How many of them wait"},
        {"request_timeout", seconds(), "How long the application may take for one of them; 0 = no limit"},
        {"priority", choice_of<request_priority>(), "Who of those that wait goes first"},
        {"never_shed", boolean(), "They run at once, however many others do"},
        {"access_log",
         share(),
         "The share of their lines in the access log: 1 = all, 0.01 = one in a hundred, 0 = none; those of "
         "answers from 400 on are always written"},
    }};
    return all;
}

class rule_list_type final : public value_type {
  public:
    void read(const json& written, json& value, std::vector<fault>& faults) const override {
        if (!written.is_array() || written.size() > most_rules) {
            faults.push_back(rejected(written, rule()));
            return;
        }
        json rules = json::array();
        for (std::size_t place = 0; place < written.size(); ++place) {
            json read = json::object();
            read_rule(written[place], "/" + std::to_string(place), read, faults);
            const auto same = [&](const json& other) { return other["path"] == read["path"]; };
            if (!read.contains("path")) continue;
            if (std::any_of(rules.begin(), rules.end(), same)) {
                const std::string path = base::printable(read["path"].get_ref<const std::string&>());
                faults.push_back(
                    {"/" + std::to_string(place), "there are two rules for \"" + path + "\": join them"}
                );
            }
            rules.push_back(std::move(read));
        }
        std::stable_sort(rules.begin(), rules.end(), [](const json& one, const json& other) {
            return one["path"].get_ref<const std::string&>().size() >
                   other["path"].get_ref<const std::string&>().size();
        });
        value = std::move(rules);
    }

    std::string rule() const override {
        return R"(a list of rules, such as [{"path": "/report", "max_concurrent_requests": 2}])";
    }

    void describe(ordered_json& schema) const override {
        schema["type"] = "array";
        schema["maxItems"] = most_rules;
        ordered_json& entry = schema["items"];
        entry["type"] = "object";
        entry["required"] = ordered_json::array({"path"});
        entry["additionalProperties"] = false;
        for (const part& each : parts()) {
            ordered_json& one = entry["properties"][std::string(each.name)];
            one["description"] = std::string(each.help) + ".";
            each.type->describe(one);
        }
    }

  private:
    static void read_rule(
        const json& written, const std::string& place, json& value, std::vector<fault>& faults
    ) {
        if (!written.is_object()) {
            faults.push_back(
                rejected(written, R"(an object such as {"path": "/health", "never_shed": true})", place)
            );
            return;
        }
        if (!written.contains("path")) faults.push_back({place, R"(has no "path": say where it applies)"});
        for (const auto& [key, entry] : written.items()) {
            read_part(key, entry, place, value, faults);
        }
        const bool spared = value.value("never_shed", false);
        for (const char* const other : {"max_concurrent_requests", "max_queued_requests", "priority"}) {
            if (!spared || !value.contains(other)) continue;
            faults.push_back(
                {place, std::string("\"never_shed\" does not go with \"") + other + "\": remove one"}
            );
        }
    }

    static void read_part(
        const std::string& key,
        const json& entry,
        const std::string& place,
        json& value,
        std::vector<fault>& faults
    ) {
        const std::string where = place + json::json_pointer().operator/=(key).to_string();
        const auto known =
            std::find_if(parts().begin(), parts().end(), [&](const part& each) { return each.name == key; });
        if (known == parts().end()) {
            std::vector<std::string_view> names;
            for (const part& each : parts()) names.push_back(each.name);
            const auto meant = base::nearest(key, names);
            faults.push_back(
                {where,
                 meant ? "a rule has no such key; did you mean \"" + std::string(*meant) + "\"?"
                       : std::string("a rule has no such key")}
            );
            return;
        }
        std::vector<fault> wrong;
        json read;
        known->type->read(entry, read, wrong);
        for (fault& each : wrong) faults.push_back({where + each.path, std::move(each.text)});
        if (wrong.empty()) value[key] = std::move(read);
    }
};

}  // namespace

value_type_ptr rule_list() {
    return std::make_shared<rule_list_type>();
}

}  // namespace unicoro::settings
