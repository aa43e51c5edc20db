// SPDX-License-Identifier: MIT
#include "http/conditions.hpp"

#include "base/text.hpp"
#include "http/http_date.hpp"

#include <optional>

namespace unicoro::http {
namespace {

enum class comparison : std::uint8_t { weak, strong };

bool is_weak(std::string_view tag) noexcept {
    return tag.starts_with("W/");
}

std::string_view opaque(std::string_view tag) noexcept {
    return is_weak(tag) ? tag.substr(2) : tag;
}

bool same(std::string_view one, std::string_view other, comparison how) noexcept {
    if (how == comparison::strong && (is_weak(one) || is_weak(other))) return false;
    return opaque(one) == opaque(other);
}

// A quoted tag may have commas in it.
std::string_view take_tag(std::string_view& list) noexcept {
    const std::size_t begin = list.find_first_not_of(", \t");
    list.remove_prefix(begin == std::string_view::npos ? list.size() : begin);
    const std::size_t quote = list.find('"');
    const std::size_t end = quote == std::string_view::npos ? quote : list.find('"', quote + 1);
    const std::string_view tag = list.substr(0, end == std::string_view::npos ? list.size() : end + 1);
    list.remove_prefix(tag.size());
    return tag;
}

// Nothing when there is no such field, in whichever of its lines.
std::optional<bool> lists(
    const request_head& head, std::string_view name, const validators& now, comparison how
) noexcept {
    std::optional<bool> found;
    for (const field& each : head.fields) {
        if (!iequals(each.name, name)) continue;
        std::string_view list = base::trim(each.value);
        bool named = list == "*";
        while (!named && !list.empty()) named = same(take_tag(list), now.etag, how);
        found = found.value_or(false) || named;
    }
    return found;
}

std::optional<std::int64_t> date_in(const request_head& head, std::string_view name) noexcept {
    const auto text = head.find(name);
    return text ? read_date(base::trim(*text)) : std::nullopt;
}

}  // namespace

condition judge_conditions(const request_head& head, const validators& now) noexcept {
    if (const auto wanted = lists(head, "If-Match", now, comparison::strong)) {
        if (!*wanted) return condition::failed;
    } else if (const auto since = date_in(head, "If-Unmodified-Since"); since && now.modified > *since) {
        return condition::failed;
    }
    if (const auto known = lists(head, "If-None-Match", now, comparison::weak)) {
        return *known ? condition::not_modified : condition::holds;
    }
    const auto since = date_in(head, "If-Modified-Since");
    return since && now.modified <= *since ? condition::not_modified : condition::holds;
}

bool range_is_current(const request_head& head, const validators& now, bool dates_tell) noexcept {
    const auto known = head.find("If-Range");
    if (!known) return true;
    const std::string_view text = base::trim(*known);
    if (text.starts_with('"') || is_weak(text)) return same(text, now.etag, comparison::strong);
    return dates_tell && read_date(text) == now.modified;
}

}  // namespace unicoro::http
