// SPDX-License-Identifier: MIT
#include "app/compression_choice.hpp"

#include "base/text.hpp"
#include "http/accepted_codings.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace unicoro::app {
namespace {

using http::iequals;

/// Whether a list field of the response names one of some words; what follows a "=" does not count.
bool lists(const http::response_head& head, std::string_view name, auto matches) {
    for (std::size_t i = 0; i < head.field_count(); ++i) {
        const http::field each = head.field_at(i);
        if (!iequals(each.name, name)) continue;
        for (const std::string& item : base::split_list(each.value)) {
            const std::string_view word = std::string_view(item).substr(0, item.find('='));
            if (matches(base::trim(word))) return true;
        }
    }
    return false;
}

bool has(const http::response_head& head, std::string_view name) {
    return head.find(name).has_value();
}

bool is_of_types(const std::vector<std::string>& types, std::string_view content_type) {
    const std::string_view essence = base::trim(content_type.substr(0, content_type.find(';')));
    return std::ranges::any_of(types, [&](const std::string& each) { return iequals(each, essence); });
}

/// Its bytes are spoken for: coded already, a part, or told by a sum of them (RFC 9530, RFC 3230).
bool is_bound_to_bytes(const http::response_head& head) {
    constexpr std::array bound{
        std::string_view("Content-Range"),
        std::string_view("Content-Digest"),
        std::string_view("Digest"),
        std::string_view("Content-MD5")
    };
    if (std::ranges::any_of(bound, [&](std::string_view name) { return has(head, name); })) return true;
    const auto encoding = head.find("Content-Encoding");
    return encoding && !iequals(*encoding, "identity");
}

bool may_be_transformed(const http::response_head& head) {
    const int status = head.status();
    if (status == 206 || status == 205 || !http::body_allowed(status)) return false;
    return !is_bound_to_bytes(head) &&
           !lists(head, "Cache-Control", [](std::string_view word) { return iequals(word, "no-transform"); });
}

bool holds_secrets(const http::response_head& head) {
    return has(head, "Set-Cookie") || lists(head, "Cache-Control", [](std::string_view word) {
               return iequals(word, "private") || iequals(word, "no-store");
           });
}

bool comes_with_credentials(const http::request_head& request, const response_facts& known) {
    return known.client_certificate || request.find("Cookie") || request.find("Authorization");
}

}  // namespace

compression_choice choose_compression(
    const settings::compression_settings& values,
    const http::request_head& request,
    const http::response_head& response,
    const response_facts& known
) {
    const auto type = response.find("Content-Type");
    if (!type || !is_of_types(values.compression_types, *type)) return {};
    const auto size = response.content_length() ? response.content_length() : known.size;
    if (size && (*size == 0 || *size < values.compression_min_length)) return {};
    if (!may_be_transformed(response)) return {};
    if (!values.compression_private && holds_secrets(response)) return {};
    compression_choice made;
    made.varies = true;
    // Chunks, which mark the end of what has no length, came with HTTP/1.1.
    if (request.version == http::version::http_1_0) return made;
    if (!values.compression_private && comes_with_credentials(request, known)) return made;
    const std::vector<std::string_view> offered(values.compression.begin(), values.compression.end());
    const auto accepted = http::accepted_codings(request, offered);
    if (!accepted.empty()) made.coding = compress::coding_named(accepted.front());
    return made;
}

void announce_coding(http::response_head& head, compress::coding coding) {
    head.drop_length();
    head.erase("Accept-Ranges");
    head.erase("Content-Encoding");
    [[maybe_unused]] const error_code valid = head.add("Content-Encoding", compress::name_of(coding));
    const auto etag = head.find("ETag");
    if (!etag || etag->starts_with("W/")) return;
    const std::string weak = "W/" + std::string(*etag);
    head.erase("ETag");
    [[maybe_unused]] const error_code also_valid = head.add("ETag", weak);
}

void announce_variance(http::response_head& head) {
    const bool told = lists(head, "Vary", [](std::string_view word) {
        return word == "*" || iequals(word, "Accept-Encoding");
    });
    if (told) return;
    [[maybe_unused]] const error_code valid = head.add("Vary", "Accept-Encoding");
}

void match_weak_etag(const http::request_head& request, http::response_head& head) {
    const auto etag = head.find("ETag");
    const auto known = request.find("If-None-Match");
    if (!etag || etag->starts_with("W/") || !known) return;
    const std::string weak = "W/" + std::string(*etag);
    if (known->find(weak) == std::string_view::npos) return;
    head.erase("ETag");
    [[maybe_unused]] const error_code valid = head.add("ETag", weak);
}

}  // namespace unicoro::app
