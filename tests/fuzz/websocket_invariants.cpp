// SPDX-License-Identifier: MIT
#include "fuzz/websocket_invariants.hpp"

#include "unit/http/client_frames.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace unicoro::test {
namespace {

constexpr std::uint64_t limit = 10'000;

std::string wrong_with(const std::string& event) {
    const std::size_t colon = event.find(':');
    const std::string kind = event.substr(0, colon);
    const std::string_view rest = std::string_view(event).substr(colon + 1);
    if (kind == "text") {
        http::utf8_checker checker;
        if (!checker.take(rest) || !checker.whole()) return "text that is not UTF-8";
    }
    if ((kind == "text" || kind == "binary") && rest.size() > limit) return "a message above the limit";
    if ((kind == "ping" || kind == "pong") && rest.size() > 125) return "a long control frame";
    if (kind == "failure" && rest != "1002" && rest != "1007" && rest != "1009")
        return "a failure with " + event;
    if (kind == "close" && rest.substr(0, 4) != "1005" &&
        !http::is_close_code(static_cast<std::uint16_t>(std::stoi(std::string(rest.substr(0, 4)))))) {
        return "a close with " + event;
    }
    return {};
}

std::string wrong_under(std::string_view wire, const std::optional<http::deflate_agreement>& deflate) {
    std::optional<std::vector<std::string>> expected;
    for (const std::size_t piece : {std::max<std::size_t>(wire.size(), 1), std::size_t{1}, std::size_t{5}}) {
        http::websocket_decoder decoder(limit, deflate);
        std::vector<std::string> events = events_of(decoder, std::string(wire), piece);
        for (const std::string& event : events) {
            std::string wrong = wrong_with(event);
            if (!wrong.empty()) return wrong;
        }
        // Of several mistakes in one compressed message the first that is met counts.
        if (deflate && !events.empty() && events.back().starts_with("failure:")) events.back() = "failure";
        if (!expected) expected = events;
        if (events == *expected) continue;
        const auto [first, second] =
            std::mismatch(expected->begin(), expected->end(), events.begin(), events.end());
        return "in pieces of " + std::to_string(piece) + " '" +
               (second == events.end() ? "nothing" : *second) + "' instead of '" +
               (first == expected->end() ? "nothing" : *first) + "'";
    }
    return {};
}

}  // namespace

std::string broken_websocket_invariant(std::string_view wire) {
    std::string wrong = wrong_under(wire, std::nullopt);
    if (!wrong.empty()) return wrong;
    http::deflate_agreement agreed;
    wrong = wrong_under(wire, agreed);
    if (!wrong.empty()) return wrong;
    agreed.client_keeps_context = false;
    return wrong_under(wire, agreed);
}

}  // namespace unicoro::test
