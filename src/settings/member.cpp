// SPDX-License-Identifier: MIT
#include "settings/member.hpp"

#include "settings/bind_address.hpp"
#include "settings/names.hpp"

#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace unicoro::settings {
namespace {

using texts = std::vector<std::string>;
using text_map = std::map<std::string, std::string>;
using text_pairs = std::vector<std::pair<std::string, std::string>>;
using addresses = std::vector<bind_address>;
using request_rules = std::vector<request_rule>;

template <class T>
void read_part(const json& rule, const char* name, T& out) {
    if (const auto part = rule.find(name); part != rule.end()) conversion<T>::from_json(*part, out);
}

template <class T>
void read_part(const json& rule, const char* name, std::optional<T>& out) {
    if (const auto part = rule.find(name); part != rule.end()) conversion<T>::from_json(*part, out.emplace());
}

/// Only what was said: the others have their value from elsewhere.
template <class T>
void write_part(json& rule, const char* name, const T& value, const T& unsaid) {
    if (value != unsaid) conversion<T>::to_json(value, rule[name]);
}

request_rule rule_from(const json& value) {
    request_rule rule;
    read_part(value, "path", rule.path);
    read_part(value, "max_concurrent_requests", rule.max_concurrent_requests);
    read_part(value, "max_queued_requests", rule.max_queued_requests);
    read_part(value, "request_timeout", rule.request_timeout);
    read_part(value, "priority", rule.priority);
    read_part(value, "never_shed", rule.never_shed);
    read_part(value, "access_log", rule.access_log);
    return rule;
}

json json_of(const request_rule& rule) {
    const request_rule unsaid;
    json value{{"path", rule.path}};
    write_part(
        value, "max_concurrent_requests", rule.max_concurrent_requests, unsaid.max_concurrent_requests
    );
    if (rule.max_queued_requests) value["max_queued_requests"] = *rule.max_queued_requests;
    if (rule.request_timeout) {
        conversion<seconds_setting>::to_json(*rule.request_timeout, value["request_timeout"]);
    }
    write_part(value, "priority", rule.priority, unsaid.priority);
    write_part(value, "never_shed", rule.never_shed, unsaid.never_shed);
    write_part(value, "access_log", rule.access_log, unsaid.access_log);
    return value;
}

}  // namespace

std::string origin::where(std::string_view part) const {
    std::string shown = source + ": " + place;
    if (in_json) shown += part;
    return shown;
}

template <class T>
void conversion<T>::from_json(const json& value, T& out) {
    if constexpr (has_words<T>) {
        if (const auto known = from_string<T>(value.get_ref<const std::string&>())) out = *known;
    } else if constexpr (std::is_same_v<T, seconds_setting>) {
        out = seconds_setting{std::llround(value.get<double>() * 1000)};
    } else if constexpr (std::is_same_v<T, std::string>) {
        out = value.is_null() ? std::string() : value.get<std::string>();
    } else if constexpr (std::is_same_v<T, std::optional<std::string>>) {
        out.reset();
        if (!value.is_null()) out = value.get<std::string>();
    } else if constexpr (std::is_same_v<T, text_pairs>) {
        out.clear();
        for (const auto& entry : value) {
            const auto& pair = entry.get_ref<const std::string&>();
            const auto equals = pair.find('=');
            out.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
        }
    } else if constexpr (std::is_same_v<T, addresses>) {
        out.clear();
        std::string problem;
        for (const auto& entry : value) {
            auto address = parse_bind_address(entry.get_ref<const std::string&>(), problem);
            if (address) out.push_back(std::move(*address));
        }
    } else if constexpr (std::is_same_v<T, request_rules>) {
        out.clear();
        for (const auto& entry : value) out.push_back(rule_from(entry));
    } else {
        value.get_to(out);
    }
}

template <class T>
void conversion<T>::to_json(const T& in, json& value) {
    if constexpr (has_words<T>) {
        value = to_string(in);
    } else if constexpr (std::is_same_v<T, seconds_setting>) {
        value = in.count() / 1000;
        if (in.count() % 1000 != 0) value = static_cast<double>(in.count()) / 1000;
    } else if constexpr (std::is_same_v<T, std::optional<std::string>>) {
        value = nullptr;
        if (in) value = *in;
    } else if constexpr (std::is_same_v<T, text_pairs>) {
        value = json::array();
        for (const auto& [name, text] : in) value.push_back(name + "=" + text);
    } else if constexpr (std::is_same_v<T, addresses>) {
        value = json::array();
        for (const auto& address : in) value.push_back(address.text);
    } else if constexpr (std::is_same_v<T, request_rules>) {
        value = json::array();
        for (const auto& rule : in) value.push_back(json_of(rule));
    } else {
        value = in;
    }
}

template struct conversion<bool>;
template struct conversion<int>;
template struct conversion<unsigned>;
template struct conversion<std::uint64_t>;
template struct conversion<std::string>;
template struct conversion<std::optional<std::string>>;
template struct conversion<texts>;
template struct conversion<text_map>;
template struct conversion<text_pairs>;
template struct conversion<addresses>;
template struct conversion<seconds_setting>;
template struct conversion<worker_class>;
template struct conversion<log_level>;
template struct conversion<log::syslog_facility>;
template struct conversion<log::syslog_format>;
template struct conversion<http::underscore_fields>;
template struct conversion<http::proxy_protocol>;
template struct conversion<http::client_field>;
template struct conversion<http::trace_policy>;
template struct conversion<app_interface>;
template struct conversion<lifespan_mode>;
template struct conversion<ipv6_only_mode>;
template struct conversion<queue_order>;
template struct conversion<tls_version>;
template struct conversion<http2_cleartext_mode>;
template struct conversion<request_priority>;
template struct conversion<request_rules>;

}  // namespace unicoro::settings
