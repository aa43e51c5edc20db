// SPDX-License-Identifier: MIT
#include "base/text.hpp"
#include "settings/value_types.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <optional>

namespace unicoro::settings {
namespace {

std::optional<std::int64_t> to_whole(const json& written) {
    if (written.is_number_unsigned()) {
        const auto value = written.get<std::uint64_t>();
        if (value > static_cast<std::uint64_t>(no_maximum)) return std::nullopt;
        return static_cast<std::int64_t>(value);
    }
    if (written.is_number_integer()) return written.get<std::int64_t>();
    if (written.is_number_float()) {
        // JSON Schema calls 4.0 an integer, so editors let it pass. 2^53: exact in a double.
        const double value = written.get<double>();
        if (std::trunc(value) != value || std::abs(value) > 9007199254740992.0) return std::nullopt;
        return static_cast<std::int64_t>(value);
    }
    if (written.is_string()) {
        return base::parse_integer<std::int64_t>(base::trim(written.get_ref<const std::string&>()));
    }
    return std::nullopt;
}

std::string range_text(std::int64_t least, std::int64_t most) {
    if (most == no_maximum) return ", " + std::to_string(least) + " or more";
    return " from " + std::to_string(least) + " to " + std::to_string(most);
}

/// A number, or a string with one in it, as environment variables and templates give it.
void describe_number(ordered_json& schema, const char* type, const char* pattern) {
    schema["type"] = ordered_json::array({type, "string"});
    schema["pattern"] = pattern;
}

constexpr const char* whole_pattern = R"(^\s*[+-]?[0-9]+\s*$)";

void describe_range(ordered_json& schema, std::int64_t least, std::int64_t most) {
    schema["minimum"] = least;
    if (most != no_maximum) schema["maximum"] = most;
}

class whole_number_type : public value_type {
  public:
    whole_number_type(std::int64_t least, std::int64_t most) : least_(least), most_(most) {}

    void read(const json& written, json& value, std::vector<fault>& faults) const override {
        const auto number = to_whole(written);
        if (!number || *number < least_ || *number > most_) {
            faults.push_back(rejected(written, rule()));
            return;
        }
        value = *number;
    }

    std::string rule() const override { return "a whole number" + range_text(least_, most_); }

    void describe(ordered_json& schema) const override {
        describe_number(schema, "integer", whole_pattern);
        describe_range(schema, least_, most_);
    }

  private:
    std::int64_t least_;
    std::int64_t most_;
};

class worker_count_type final : public whole_number_type {
  public:
    explicit worker_count_type(std::int64_t most) : whole_number_type(0, most) {}

    void read(const json& written, json& value, std::vector<fault>& faults) const override {
        const bool counted =
            written.is_string() && base::to_lower(base::trim(written.get_ref<const std::string&>())) == word;
        if (counted) {
            value = word;
        } else {
            whole_number_type::read(written, value, faults);
        }
    }

    std::string rule() const override {
        return whole_number_type::rule() + ", or \"" + std::string(word) + "\"";
    }

    std::vector<std::string_view> words() const override { return {word}; }

    void describe(ordered_json& schema) const override {
        ordered_json number;
        whole_number_type::describe(number);
        schema["anyOf"] = ordered_json::array({number, ordered_json{{"const", word}}});
    }

    void settle(json& value, const std::function<int()>& count_cpus) const override {
        if (value.is_string()) value = count_cpus();
    }

    std::string_view advice() const override { return R"("auto" counts the CPUs at each start)"; }

  private:
    static constexpr std::string_view word = "auto";
};

class seconds_type final : public value_type {
  public:
    void read(const json& written, json& value, std::vector<fault>& faults) const override {
        std::optional<double> number;
        if (written.is_number()) number = written.get<double>();
        if (written.is_string()) {
            number = base::parse_decimal(base::trim(written.get_ref<const std::string&>()));
        }
        if (!number || !(*number >= 0) || *number > a_year) {
            faults.push_back(rejected(written, rule()));
            return;
        }
        const auto milliseconds = std::llround(*number * 1000);
        // 0 switches most limits off, so a tiny limit must not become one.
        if (milliseconds == 0 && *number > 0) {
            faults.push_back(rejected(written, "0, or at least 0.001 seconds"));
            return;
        }
        if (milliseconds % 1000 == 0) {
            value = milliseconds / 1000;
        } else {
            value = static_cast<double>(milliseconds) / 1000;
        }
    }

    std::string rule() const override { return "a number of seconds from 0 to 31536000"; }

    void describe(ordered_json& schema) const override {
        describe_number(schema, "number", R"(^\s*[0-9]*\.?[0-9]+([eE][+-]?[0-9]+)?\s*$)");
        describe_range(schema, 0, static_cast<std::int64_t>(a_year));
    }

  private:
    static constexpr double a_year = 31'536'000;
};

class share_type final : public value_type {
  public:
    void read(const json& written, json& value, std::vector<fault>& faults) const override {
        std::optional<double> number;
        if (written.is_number()) number = written.get<double>();
        if (written.is_string()) {
            number = base::parse_decimal(base::trim(written.get_ref<const std::string&>()));
        }
        if (!number || !(*number >= 0 && *number <= 1)) {
            faults.push_back(rejected(written, rule()));
            return;
        }
        value = *number;
    }

    std::string rule() const override { return "a share from 0 (none) to 1 (all), such as 0.01"; }

    void describe(ordered_json& schema) const override {
        describe_number(schema, "number", R"(^\s*[01]?\.?[0-9]*\s*$)");
        describe_range(schema, 0, 1);
    }
};

class byte_size_type final : public value_type {
  public:
    explicit byte_size_type(std::int64_t most) : most_(most) {}

    void read(const json& written, json& value, std::vector<fault>& faults) const override {
        const auto bytes =
            written.is_string() ? with_unit(written.get_ref<const std::string&>()) : to_whole(written);
        if (!bytes || *bytes < 0 || *bytes > most_) {
            faults.push_back(rejected(written, rule()));
            return;
        }
        value = *bytes;
    }

    std::string rule() const override {
        return "a number of bytes" + range_text(0, most_) + ", also written like \"64k\" or \"10M\"";
    }

    void describe(ordered_json& schema) const override {
        schema["type"] = ordered_json::array({"integer", "string"});
        describe_range(schema, 0, most_);
        schema["pattern"] = R"(^\s*[0-9]+\s*([kKmMgGtT]([iI]?[bB])?)?\s*$)";
    }

  private:
    static std::optional<std::int64_t> with_unit(std::string_view written) {
        const std::string text = base::to_lower(base::trim(written));
        const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
        const auto number = base::parse_integer<std::int64_t>(text.substr(0, digits));
        if (!number) return std::nullopt;
        std::string unit{base::trim(std::string_view(text).substr(digits))};
        if (unit.empty()) return number;
        const auto power = std::string_view("kmgt").find(unit.front());
        const std::string_view rest = std::string_view(unit).substr(1);
        if (power == std::string_view::npos) return std::nullopt;
        if (!rest.empty() && rest != "b" && rest != "ib") return std::nullopt;
        const auto shift = static_cast<unsigned>(10 * (power + 1));
        if (*number > (no_maximum >> shift)) return std::nullopt;
        return *number << shift;
    }

    std::int64_t most_;
};

class file_mode_type final : public value_type {
  public:
    void read(const json& written, json& value, std::vector<fault>& faults) const override {
        const auto mode =
            written.is_string() ? like_the_shell(written.get_ref<const std::string&>()) : to_whole(written);
        if (!mode || *mode < 0 || *mode > 0777) {
            faults.push_back(rejected(written, rule()));
            return;
        }
        value = *mode;
    }

    std::string rule() const override {
        return "a file mode from 0 to 0777, best written as an octal string such as \"0o022\"";
    }

    void describe(ordered_json& schema) const override {
        schema["type"] = ordered_json::array({"string", "integer"});
        describe_range(schema, 0, 0777);
        schema["pattern"] = R"(^\s*(0[oO]?[0-7]{1,3}|0[xX][0-9a-fA-F]+|[1-9][0-9]{0,2}|0)\s*$)";
    }

  private:
    /// gunicorn's `auto_int`: a leading 0 or 0o is octal, 0x hexadecimal, anything else decimal.
    static std::optional<std::int64_t> like_the_shell(std::string_view written) {
        const std::string text = base::to_lower(base::trim(written));
        const std::string_view digits{text};
        if (digits.starts_with("0x")) return base::parse_integer<std::int64_t>(digits.substr(2), 16);
        if (digits.starts_with("0o")) return base::parse_integer<std::int64_t>(digits.substr(2), 8);
        const int number_base = digits.starts_with("0") ? 8 : 10;
        return base::parse_integer<std::int64_t>(digits, number_base);
    }
};

}  // namespace

value_type_ptr whole_number(std::int64_t least, std::int64_t most) {
    return std::make_shared<whole_number_type>(least, most);
}

value_type_ptr worker_count(std::int64_t most) {
    return std::make_shared<worker_count_type>(most);
}

value_type_ptr seconds() {
    return std::make_shared<seconds_type>();
}

value_type_ptr share() {
    return std::make_shared<share_type>();
}

value_type_ptr byte_size(std::int64_t most) {
    return std::make_shared<byte_size_type>(most);
}

value_type_ptr file_mode() {
    return std::make_shared<file_mode_type>();
}

}  // namespace unicoro::settings
