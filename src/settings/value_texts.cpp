// SPDX-License-Identifier: MIT
#include "base/text.hpp"
#include "log/statsd_output.hpp"
#include "log/syslog_address.hpp"
#include "settings/value_types.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace unicoro::settings {

namespace {

class boolean_type final : public value_type {
  public:
    void read(const json& written, json& value, std::vector<fault>& faults) const override {
        if (written.is_boolean()) {
            value = written;
            return;
        }
        if (written.is_string()) {
            const std::string word = base::to_lower(base::trim(written.get_ref<const std::string&>()));
            if (word == "true" || word == "false") {
                value = word == "true";
                return;
            }
        }
        faults.push_back(rejected(written, rule()));
    }

    std::string rule() const override { return "true or false"; }

    void describe(ordered_json& schema) const override {
        schema["type"] = ordered_json::array({"boolean", "string"});
        schema["pattern"] = in_any_case({"true", "false"});
    }
};

class text_type final : public value_type {
  public:
    explicit text_type(presence must_be) : presence_(must_be) {}

    void read(const json& written, json& value, std::vector<fault>& faults) const override {
        if (written.is_null() && presence_ == presence::optional_value) {
            value = nullptr;
            return;
        }
        if (!written.is_string()) {
            faults.push_back(rejected(written, rule()));
            return;
        }
        const auto content = base::trim(written.get_ref<const std::string&>());
        if (base::has_control_byte(content)) {
            faults.push_back(rejected(written, "text without control characters"));
            return;
        }
        if (!content.empty() || presence_ == presence::may_be_empty) {
            value = content;
        } else if (presence_ == presence::optional_value) {
            value = nullptr;
        } else {
            faults.push_back(rejected(written, rule()));
        }
    }

    std::string rule() const override {
        switch (presence_) {
            case presence::required: return "a string that is not empty";
            case presence::may_be_empty: return "a string";
            case presence::optional_value: return "a string or null";
        }
        return {};
    }

    void describe(ordered_json& schema) const override {
        if (presence_ == presence::optional_value) {
            schema["type"] = ordered_json::array({"string", "null"});
            return;
        }
        schema["type"] = "string";
        if (presence_ == presence::required) schema["minLength"] = 1;
    }

  private:
    presence presence_;
};

class choice_type final : public value_type {
  public:
    explicit choice_type(std::vector<choice_option> options) : options_(std::move(options)) {}

    void read(const json& given, json& value, std::vector<fault>& faults) const override {
        // A choice that has the words true and false takes the values, too.
        const json written = given.is_boolean() ? json(given.get<bool>() ? "true" : "false") : given;
        if (!written.is_string()) {
            faults.push_back(rejected(written, rule()));
            return;
        }
        const std::string word = base::to_lower(base::trim(written.get_ref<const std::string&>()));
        const auto found = std::find_if(options_.begin(), options_.end(), [&](const auto& option) {
            return base::to_lower(option.written) == word;
        });
        if (found == options_.end()) {
            fault unknown = rejected(given, rule());
            if (const auto meant = base::nearest(word, words())) {
                unknown.text += "; did you mean \"" + std::string(*meant) + "\"?";
            }
            faults.push_back(std::move(unknown));
            return;
        }
        if (!found->refusal.empty()) {
            faults.push_back({{}, "\"" + word + "\" is refused: " + std::string(found->refusal)});
            return;
        }
        value = found->canonical.empty() ? found->written : found->canonical;
    }

    std::string rule() const override {
        std::string text;
        for (const auto& word : words()) {
            text += (text.empty() ? "\"" : ", \"") + std::string(word) + "\"";
        }
        return "one of " + text;
    }

    std::vector<std::string_view> words() const override {
        std::vector<std::string_view> offered;
        for (const auto& option : options_) {
            if (option.refusal.empty() && option.offered) offered.push_back(option.written);
        }
        return offered;
    }

    void describe(ordered_json& schema) const override {
        // The words for the editor to propose, and whatever else is taken for one of them.
        ordered_json proposed{{"enum", words()}};
        ordered_json taken{{"type", "string"}, {"pattern", in_any_case(words())}};
        schema["anyOf"] = ordered_json::array({std::move(proposed), std::move(taken)});
        const auto offered = words();
        if (std::ranges::find(offered, "true") != offered.end()) {
            schema["anyOf"].push_back(ordered_json{{"type", "boolean"}});
        }
    }

  private:
    std::vector<choice_option> options_;
};

/// Where a daemon listens, as the log reads it.
class daemon_address_type final : public value_type {
  public:
    daemon_address_type(
        presence must_be, bool (*fits)(std::string_view), std::string_view forms, const char* pattern
    )
        : presence_(must_be), fits_(fits), forms_(forms), pattern_(pattern) {}

    void read(const json& written, json& value, std::vector<fault>& faults) const override {
        const bool may_be_none = presence_ == presence::optional_value;
        const std::string_view content =
            written.is_string() ? base::trim(written.get_ref<const std::string&>()) : std::string_view();
        if (may_be_none && content.empty() && (written.is_null() || written.is_string())) {
            value = nullptr;
        } else if (content.empty() || base::has_control_byte(content) || !fits_(content)) {
            faults.push_back(rejected(written, rule()));
        } else {
            value = content;
        }
    }

    std::string rule() const override { return std::string(forms_); }

    void describe(ordered_json& schema) const override {
        schema["type"] = "string";
        if (presence_ == presence::optional_value) schema["type"] = ordered_json::array({"string", "null"});
        schema["pattern"] = pattern_;
    }

  private:
    presence presence_;
    bool (*fits_)(std::string_view);
    std::string_view forms_;
    const char* pattern_;
};

class account_type final : public value_type {
  public:
    void read(const json& written, json& value, std::vector<fault>& faults) const override {
        if (written.is_number_integer() && written >= 0) {
            value = written.dump();
        } else if (written.is_number()) {
            faults.push_back(rejected(written, rule()));
        } else {
            name_.read(written, value, faults);
        }
    }

    std::string rule() const override { return "a name, a number (0 or more), or null"; }

    void describe(ordered_json& schema) const override {
        schema["type"] = ordered_json::array({"string", "integer", "null"});
        schema["minimum"] = 0;
    }

  private:
    text_type name_{presence::optional_value};
};

class named_object_type final : public value_type {
  public:
    void read(const json& written, json& value, std::vector<fault>& faults) const override {
        if (written.is_object()) {
            value = written;
            return;
        }
        std::string name;
        if (written.is_string())
            name = canonical_reference(base::trim(written.get_ref<const std::string&>()));
        if (name.empty()) {
            faults.push_back(rejected(written, rule()));
        } else {
            value = name;
        }
    }

    std::string rule() const override {
        return "an object, or the name of one: MODULE:NAME or /FILE.py:NAME";
    }

    void describe(ordered_json& schema) const override {
        schema["type"] = ordered_json::array({"object", "string"});
    }

    bool may_be_named() const override { return true; }
};

class anything_type final : public value_type {
  public:
    void read(const json& written, json& value, std::vector<fault>&) const override { value = written; }
    std::string rule() const override { return "anything"; }
    void describe(ordered_json&) const override {}
};

}  // namespace

value_type_ptr boolean() {
    return std::make_shared<boolean_type>();
}

value_type_ptr text(presence must_be) {
    return std::make_shared<text_type>(must_be);
}

value_type_ptr choice(std::vector<choice_option> options) {
    return std::make_shared<choice_type>(std::move(options));
}

value_type_ptr syslog_address() {
    return std::make_shared<daemon_address_type>(
        presence::required,
        [](std::string_view text) { return log::parse_syslog_address(text).has_value(); },
        log::syslog_address_forms,
        R"(^\s*(udp://|tcp://|unix:///|journald))"
    );
}

value_type_ptr statsd_address() {
    return std::make_shared<daemon_address_type>(
        presence::optional_value,
        [](std::string_view text) { return log::parse_statsd_address(text).has_value(); },
        log::statsd_address_forms,
        R"(^\s*(unix:///|[^/]*\s*$))"
    );
}

value_type_ptr account() {
    return std::make_shared<account_type>();
}

value_type_ptr named_object() {
    return std::make_shared<named_object_type>();
}

value_type_ptr anything() {
    return std::make_shared<anything_type>();
}

}  // namespace unicoro::settings
