// SPDX-License-Identifier: MIT
#include "http/response_head.hpp"

#include "base/text.hpp"
#include "http/chars.hpp"

#include <algorithm>
#include <cstdint>

namespace unicoro::http {
namespace {

enum class field_owner { application, connection, connection_option, length };

// Who decides about a field. Lengths first: most names differ there already.
field_owner owner_of(std::string_view name) noexcept {
    switch (name.size()) {
        case 4:
            if (iequals(name, "date")) return field_owner::connection;
            break;
        case 6:
            if (iequals(name, "server")) return field_owner::connection;
            break;
        case 7:
            if (iequals(name, "trailer")) return field_owner::connection;
            break;
        case 10:
            if (iequals(name, "connection")) return field_owner::connection_option;
            if (iequals(name, "keep-alive")) return field_owner::connection;
            break;
        case 14:
            if (iequals(name, "content-length")) return field_owner::length;
            break;
        case 17:
            if (iequals(name, "transfer-encoding")) return field_owner::connection;
            break;
        default: break;
    }
    return iequals(name.substr(0, 6), "proxy-") ? field_owner::connection : field_owner::application;
}

bool asks_to_close(std::string_view options) noexcept {
    while (!options.empty()) {
        if (iequals(next_element(options), "close")) return true;
    }
    return false;
}

}  // namespace

void response_head::reset() noexcept {
    status_ = 200;
    close_ = false;
    length_.reset();
    length_text_.clear();
    reason_.clear();
    text_.clear();
    fields_.clear();
}

error_code response_head::set_status(int code, std::string_view reason) {
    if (code < 200 || code > 599 || !all(byte_class::content, reason)) return errc::invalid_status;
    status_ = code;
    reason_.clear();
    if (reason != reason_phrase(code)) reason_.assign(reason);
    return {};
}

error_code response_head::set_length(std::string_view digits) {
    const std::optional<std::uint64_t> length = base::parse_integer<std::uint64_t>(digits);
    if (length_ || !length) return errc::invalid_header;
    length_ = length;
    length_text_ = std::to_string(*length);
    return {};
}

error_code response_head::add(std::string_view name, std::string_view value) {
    value = trim(value);
    if (name.empty() || !all(byte_class::token, name) || !all(byte_class::content, value)) {
        return errc::invalid_header;
    }
    switch (owner_of(name)) {
        case field_owner::connection: return {};
        case field_owner::length: return set_length(value);
        case field_owner::connection_option: close_ = close_ || asks_to_close(value); return {};
        case field_owner::application: break;
    }
    constexpr std::size_t most_text = UINT32_MAX;
    if (name.size() + value.size() > most_text - text_.size()) return errc::invalid_header;
    fields_.push_back({
        static_cast<std::uint32_t>(text_.size()),
        static_cast<std::uint32_t>(name.size()),
        static_cast<std::uint32_t>(value.size()),
    });
    text_.append(name).append(value);
    return {};
}

void response_head::erase(std::string_view name) noexcept {
    const auto of_that_name = [&](const place& each) {
        return iequals(std::string_view(text_).substr(each.begin, each.name_size), name);
    };
    fields_.erase(std::remove_if(fields_.begin(), fields_.end(), of_that_name), fields_.end());
}

void response_head::drop_length() noexcept {
    length_.reset();
    length_text_.clear();
}

std::optional<std::string_view> response_head::find(std::string_view name) const noexcept {
    for (std::size_t i = 0; i < fields_.size(); ++i) {
        if (const field each = field_at(i); iequals(each.name, name)) return each.value;
    }
    return std::nullopt;
}

void response_head::list_fields(std::vector<field>& out) const {
    for (std::size_t i = 0; i < fields_.size(); ++i) out.push_back(field_at(i));
    if (length_) out.push_back({"Content-Length", length_text_});
}

}  // namespace unicoro::http
