// SPDX-License-Identifier: MIT
#include "settings/member.hpp"

#include "settings/bind_address.hpp"
#include "settings/names.hpp"

#include <nlohmann/json.hpp>

#include <cmath>

namespace unicoro::settings::convert {
namespace {

template <class Enum>
void word_from_json(const json& value, Enum& out) {
    if (const auto known = from_string<Enum>(value.get_ref<const std::string&>())) out = *known;
}

}  // namespace

void from_json(const json& value, bool& out) {
    value.get_to(out);
}
void from_json(const json& value, int& out) {
    value.get_to(out);
}
void from_json(const json& value, unsigned& out) {
    value.get_to(out);
}
void from_json(const json& value, std::uint64_t& out) {
    value.get_to(out);
}
void from_json(const json& value, std::vector<std::string>& out) {
    value.get_to(out);
}
void from_json(const json& value, text_map& out) {
    value.get_to(out);
}
void from_json(const json& value, worker_class& out) {
    word_from_json(value, out);
}
void from_json(const json& value, log_level& out) {
    word_from_json(value, out);
}
void from_json(const json& value, header_map& out) {
    word_from_json(value, out);
}
void from_json(const json& value, app_interface& out) {
    word_from_json(value, out);
}
void from_json(const json& value, lifespan_mode& out) {
    word_from_json(value, out);
}
void from_json(const json& value, ipv6_only_mode& out) {
    word_from_json(value, out);
}

void from_json(const json& value, std::string& out) {
    if (value.is_null()) {
        out.clear();
    } else {
        value.get_to(out);
    }
}

void from_json(const json& value, std::optional<std::string>& out) {
    out.reset();
    if (!value.is_null()) out = value.get<std::string>();
}

void from_json(const json& value, text_pairs& out) {
    out.clear();
    for (const auto& pair : value) {
        out.emplace_back(pair.front().get<std::string>(), pair.back().get<std::string>());
    }
}

void from_json(const json& value, std::vector<bind_address>& out) {
    out.clear();
    std::string problem;
    for (const auto& entry : value) {
        auto address = parse_bind_address(entry.get_ref<const std::string&>(), problem);
        if (address) out.push_back(std::move(*address));
    }
}

void from_json(const json& value, seconds_setting& out) {
    out = seconds_setting{std::llround(value.get<double>() * 1000)};
}

void to_json(const bool& in, json& value) {
    value = in;
}
void to_json(const int& in, json& value) {
    value = in;
}
void to_json(const unsigned& in, json& value) {
    value = in;
}
void to_json(const std::uint64_t& in, json& value) {
    value = in;
}
void to_json(const std::string& in, json& value) {
    value = in;
}
void to_json(const std::vector<std::string>& in, json& value) {
    value = in;
}
void to_json(const text_map& in, json& value) {
    value = in;
}
void to_json(const worker_class& in, json& value) {
    value = to_string(in);
}
void to_json(const log_level& in, json& value) {
    value = to_string(in);
}
void to_json(const header_map& in, json& value) {
    value = to_string(in);
}
void to_json(const app_interface& in, json& value) {
    value = to_string(in);
}
void to_json(const lifespan_mode& in, json& value) {
    value = to_string(in);
}
void to_json(const ipv6_only_mode& in, json& value) {
    value = to_string(in);
}

void to_json(const std::optional<std::string>& in, json& value) {
    value = nullptr;
    if (in) value = *in;
}

void to_json(const text_pairs& in, json& value) {
    value = json::array();
    for (const auto& [name, text] : in) value.push_back(json::array({name, text}));
}

void to_json(const std::vector<bind_address>& in, json& value) {
    value = json::array();
    for (const auto& address : in) value.push_back(address.text);
}

void to_json(const seconds_setting& in, json& value) {
    if (in.count() % 1000 == 0) {
        value = in.count() / 1000;
    } else {
        value = static_cast<double>(in.count()) / 1000;
    }
}

}  // namespace unicoro::settings::convert
