// SPDX-License-Identifier: MIT
#include "base/ip_network.hpp"
#include "base/text.hpp"
#include "settings/bind_address.hpp"
#include "settings/value_types.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <tuple>

namespace unicoro::settings {
namespace {

std::string index_path(std::size_t index) {
    return "/" + std::to_string(index);
}

std::string key_path(const std::string& key) {
    return json::json_pointer().operator/=(key).to_string();
}

constexpr const char* field_name_rule = "a header field name of letters, digits, \"-\" and \"_\"";

bool is_field_name(const std::string& upper) {
    return !upper.empty() && std::all_of(upper.begin(), upper.end(), [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    });
}

void describe_texts(ordered_json& schema) {
    schema["type"] = ordered_json::array({"array", "string"});
    schema["items"] = ordered_json{{"type", "string"}};
}

/// A list written as an array of strings or as one string. Subclasses make one entry canonical.
class list_type : public value_type {
  public:
    explicit list_type(commas in_strings) : commas_(in_strings) {}

    void read(const json& written, json& value, std::vector<fault>& faults) const override {
        if (!written.is_array() && !written.is_string()) {
            faults.push_back(rejected(written, rule()));
            return;
        }
        json entries = json::array();
        if (written.is_string()) {
            read_string(written.get_ref<const std::string&>(), {}, entries, faults);
        }
        for (std::size_t i = 0; written.is_array() && i < written.size(); ++i) {
            if (written[i].is_string()) {
                read_string(written[i].get_ref<const std::string&>(), index_path(i), entries, faults);
            } else {
                faults.push_back(rejected(written[i], "a string", index_path(i)));
            }
        }
        value = std::move(entries);
    }

    void describe(ordered_json& schema) const override { describe_texts(schema); }

  protected:
    /// The canonical entry, or its fault ("must be ...") in `problem`.
    virtual std::string canonical(std::string_view entry, std::string& problem) const = 0;

  private:
    void read_string(
        const std::string& written, const std::string& path, json& entries, std::vector<fault>& faults
    ) const {
        const auto parts =
            commas_ == commas::separate ? base::split_list(written) : std::vector<std::string>{written};
        for (const std::string& part : parts) {
            std::string problem;
            std::string entry = canonical(part, problem);
            if (problem.empty()) {
                entries.push_back(std::move(entry));
            } else {
                faults.push_back(rejected(part, problem, path));
            }
        }
    }

    commas commas_;
};

class text_list_type final : public list_type {
  public:
    text_list_type(commas in_strings, std::string_view entries, entry_check check)
        : list_type(in_strings),
          rule_(
              "a list of " + std::string(entries) +
              (in_strings == commas::separate ? ", or a comma-separated string" : "")
          ),
          check_(check) {}

    std::string rule() const override { return rule_; }

  protected:
    std::string canonical(std::string_view entry, std::string& problem) const override {
        const auto content = base::trim(entry);
        if (content.empty()) {
            problem = "text that is not empty";
        } else if (base::has_control_byte(content)) {
            problem = "text without control characters";
        } else if (check_ != nullptr) {
            problem = check_(content);
        }
        return std::string(content);
    }

  private:
    std::string rule_;
    entry_check check_;
};

std::string check_network(std::string_view entry) {
    base::trust_list list;
    if (list.add(entry)) return {};
    const bool block = entry.find('/') != entry.npos;
    return block ? "a CIDR block whose host bits are zero, such as 192.168.1.0/24"
                 : "an IP address, a CIDR block or \"*\"";
}

class http_protocol_list_type final : public list_type {
  public:
    http_protocol_list_type() : list_type(commas::separate) {}

    std::string rule() const override { return "a list of h1 and h2, or a comma-separated string"; }

  protected:
    std::string canonical(std::string_view entry, std::string& problem) const override {
        std::string name = base::to_lower(base::trim(entry));
        if (name == "h3") {
            problem = "h1 or h2: for HTTP/3 put a proxy in front that speaks it";
        } else if (name != "h1" && name != "h2") {
            problem = "h1 or h2";
        }
        return name;
    }
};

class field_name_list_type final : public list_type {
  public:
    field_name_list_type() : list_type(commas::separate) {}

    std::string rule() const override {
        return "a list of header field names, a comma-separated string, or \"*\"";
    }

  protected:
    std::string canonical(std::string_view entry, std::string& problem) const override {
        const std::string name = base::to_upper(base::trim(entry));
        if (name == "*") return name;
        if (!is_field_name(name)) problem = field_name_rule;
        return name;
    }
};

class bind_list_type final : public value_type {
  public:
    explicit bind_list_type(presence must_be) : presence_(must_be) {}

    void read(const json& written, json& value, std::vector<fault>& faults) const override {
        const bool none = written.is_null() || written == "" || written == json::array();
        if (none && presence_ == presence::optional_value) {
            value = json::array();
            return;
        }
        const bool single = written.is_string() || written.is_number_unsigned();
        json list = single ? json::array({written}) : written;
        if (!list.is_array() || list.empty()) {
            faults.push_back(rejected(written, rule()));
            return;
        }
        value = json::array();
        std::vector<bind_address> seen;
        for (std::size_t i = 0; i < list.size(); ++i) {
            const std::string path = written.is_array() ? index_path(i) : std::string();
            // A port alone, of which the same is to be said with and without quotes.
            if (list[i].is_number_unsigned()) list[i] = list[i].dump();
            if (!list[i].is_string()) {
                faults.push_back(rejected(list[i], "a string", path));
                continue;
            }
            std::string problem;
            auto address = parse_bind_address(list[i].get_ref<const std::string&>(), problem);
            if (address && contains(seen, *address)) problem = "is given twice: give it once";
            if (!problem.empty()) {
                faults.push_back(
                    {path,
                     base::printable(list[i].dump(-1, ' ', false, json::error_handler_t::replace)) + " " +
                         problem}
                );
                continue;
            }
            value.push_back(address->text);
            seen.push_back(std::move(*address));
        }
    }

    std::string rule() const override {
        return presence_ == presence::optional_value
                   ? "an address or a list of them, or null: HOST:PORT, [IPV6]:PORT or unix:PATH"
                   : "an address or a list of them: HOST:PORT, [IPV6]:PORT, unix:PATH or fd://N";
    }

    void describe(ordered_json& schema) const override {
        describe_texts(schema);
        if (presence_ == presence::optional_value) schema["type"].push_back("null");
    }

  private:
    static bool contains(const std::vector<bind_address>& seen, const bind_address& one) {
        // Port 0 asks the kernel for any free port, each time for another one.
        if (one.type == bind_address::kind::tcp && one.port == 0) return false;
        return std::any_of(seen.begin(), seen.end(), [&](const bind_address& other) {
            return std::tie(other.type, other.host, other.port, other.path, other.fd) ==
                   std::tie(one.type, one.host, one.port, one.path, one.fd);
        });
    }

    presence presence_;
};

class field_map_type final : public value_type {
  public:
    void read(const json& written, json& value, std::vector<fault>& faults) const override {
        if (!written.is_object()) {
            faults.push_back(rejected(written, rule()));
            return;
        }
        value = json::object();
        for (const auto& [key, text] : written.items()) {
            const std::string name = base::to_upper(base::trim(key));
            if (!is_field_name(name)) {
                faults.push_back(rejected(key, field_name_rule, key_path(key)));
            } else if (!text.is_string()) {
                faults.push_back(rejected(text, "a string", key_path(key)));
            } else if (base::has_control_byte(text.get_ref<const std::string&>())) {
                faults.push_back(rejected(text, "text without control characters", key_path(key)));
            } else {
                value[name] = text;
            }
        }
    }

    std::string rule() const override { return "an object of header field names and their https value"; }

    void describe(ordered_json& schema) const override {
        schema["type"] = "object";
        schema["additionalProperties"] = ordered_json{{"type", "string"}};
    }
};

class environment_type final : public value_type {
  public:
    void read(const json& written, json& value, std::vector<fault>& faults) const override {
        value = json::array();
        if (written.is_object()) {
            for (const auto& [name, text] : written.items()) {
                if (text.is_string()) {
                    add(name, text.get<std::string>(), key_path(name), value, faults);
                } else {
                    faults.push_back(rejected(text, "a string (write it in quotes)", key_path(name)));
                }
            }
            return;
        }
        const json list = written.is_string() ? json::array({written}) : written;
        if (!list.is_array()) {
            faults.push_back(rejected(written, rule()));
            return;
        }
        for (std::size_t i = 0; i < list.size(); ++i) {
            const std::string path = written.is_array() ? index_path(i) : std::string();
            const std::string pair = list[i].is_string() ? list[i].get<std::string>() : std::string();
            const auto equals = pair.find('=');
            if (equals == std::string::npos) {
                faults.push_back(rejected(list[i], "a string of the form NAME=VALUE", path));
                continue;
            }
            add(pair.substr(0, equals), pair.substr(equals + 1), path, value, faults);
        }
    }

    std::string rule() const override { return "an object of strings, or a list of \"NAME=VALUE\""; }

    void describe(ordered_json& schema) const override {
        schema["type"] = ordered_json::array({"object", "array"});
        schema["additionalProperties"] = ordered_json{{"type", "string"}};
        schema["items"] = ordered_json{{"type", "string"}, {"pattern", "^[^=]+="}};
    }

    ordered_json filed(const json& value) const override {
        ordered_json object = ordered_json::object();
        for (const json& each : value) {
            const auto& pair = each.get_ref<const std::string&>();
            const auto equals = pair.find('=');
            object[pair.substr(0, equals)] = pair.substr(equals + 1);
        }
        return object;
    }

  private:
    static void add(
        const std::string& name,
        const std::string& content,
        const std::string& path,
        json& value,
        std::vector<fault>& faults
    ) {
        // setenv(3) refuses such names, and a NUL would cut the value.
        if (name.empty() || name.find_first_of(std::string_view("=\0", 2)) != std::string::npos) {
            faults.push_back(rejected(name, "a variable name that is not empty and has no \"=\"", path));
        } else if (content.find('\0') != std::string::npos) {
            faults.push_back(rejected(content, "text without NUL", path));
        } else {
            value.push_back(name + "=" + content);
        }
    }
};

}  // namespace

value_type_ptr text_list(commas in_strings, std::string_view entries, entry_check check) {
    return std::make_shared<text_list_type>(in_strings, entries, check);
}

value_type_ptr network_list() {
    return text_list(commas::separate, "IP addresses, CIDR blocks or \"*\"", check_network);
}

value_type_ptr field_name_list() {
    return std::make_shared<field_name_list_type>();
}

value_type_ptr http_protocol_list() {
    return std::make_shared<http_protocol_list_type>();
}

value_type_ptr field_map() {
    return std::make_shared<field_map_type>();
}

value_type_ptr environment_list() {
    return std::make_shared<environment_type>();
}

value_type_ptr bind_list(presence must_be) {
    return std::make_shared<bind_list_type>(must_be);
}

}  // namespace unicoro::settings
