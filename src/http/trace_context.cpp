// SPDX-License-Identifier: MIT
#include "http/trace_context.hpp"

#include <sys/random.h>

#include <algorithm>
#include <cstddef>

namespace unicoro::http {
namespace {

constexpr std::string_view traceparent = "traceparent";
constexpr std::string_view tracestate = "tracestate";
constexpr std::string_view digits = "0123456789abcdef";

// "00-" trace "-" parent "-" flags
constexpr std::size_t trace_at = 3;
constexpr std::size_t trace_size = 32;
constexpr std::size_t parent_at = trace_at + trace_size + 1;
constexpr std::size_t parent_size = 16;
constexpr std::size_t flags_at = parent_at + parent_size + 1;
constexpr std::size_t whole_size = flags_at + 2;

bool is_hex(std::string_view text) noexcept {
    return text.find_first_not_of(digits) == std::string_view::npos;
}

bool is_identifier(std::string_view text) noexcept {
    return is_hex(text) && text.find_first_not_of('0') != std::string_view::npos;
}

}  // namespace

bool is_traceparent(std::string_view value) noexcept {
    if (value.size() < whole_size) return false;
    const std::string_view version = value.substr(0, 2);
    if (!is_hex(version) || version == "ff") return false;
    const bool ends_well = value.size() == whole_size || (version != "00" && value[whole_size] == '-');
    return ends_well && value[2] == '-' && value[parent_at - 1] == '-' && value[flags_at - 1] == '-' &&
           is_identifier(value.substr(trace_at, trace_size)) &&
           is_identifier(value.substr(parent_at, parent_size)) && is_hex(value.substr(flags_at, 2));
}

std::string_view trace_id_of(std::string_view value) noexcept {
    return is_traceparent(value) ? value.substr(trace_at, trace_size) : std::string_view();
}

void trace_fields::settle(trace_policy how, std::vector<field>& fields) {
    if (how == trace_policy::pass) return;
    const auto named = [](std::string_view name) {
        return [name](const field& each) { return iequals(each.name, name); };
    };
    const auto first = std::find_if(fields.begin(), fields.end(), named(traceparent));
    const bool is_one = first != fields.end() && is_traceparent(first->value) &&
                        std::none_of(first + 1, fields.end(), named(traceparent));
    if (is_one) return;
    std::erase_if(fields, named(traceparent));
    std::erase_if(fields, named(tracestate));
    if (how == trace_policy::make && make()) {
        fields.push_back({traceparent, std::string_view(made_.data(), made_.size())});
    }
}

// False without randomness, which early boot may lack.
bool trace_fields::make() noexcept {
    std::array<unsigned char, (trace_size + parent_size) / 2> random{};
    if (::getrandom(random.data(), random.size(), GRND_NONBLOCK) != static_cast<ssize_t>(random.size())) {
        return false;
    }
    constexpr std::string_view form = "00-00000000000000000000000000000000-0000000000000000-01";
    static_assert(form.size() == length && whole_size == length);
    std::copy(form.begin(), form.end(), made_.begin());
    std::size_t place = trace_at;
    for (const unsigned char each : random) {
        if (place == parent_at - 1) ++place;
        made_[place++] = digits[each >> 4];
        made_[place++] = digits[each & 0xf];
    }
    return is_traceparent({made_.data(), made_.size()});
}

}  // namespace unicoro::http
