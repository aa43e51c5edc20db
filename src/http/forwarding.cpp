// SPDX-License-Identifier: MIT
#include "http/forwarding.hpp"

#include "base/text.hpp"
#include "http/chars.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace unicoro::http {
namespace {

// Of an element; RFC 7239 knows four.
constexpr std::size_t most_pairs = 16;

using verdict = forwarded_client::verdict;

// obfnode and obfport (RFC 7239, 6.3): '_' and letters, digits, '.', '_', '-'.
bool hides(std::string_view text) noexcept {
    if (text.size() < 2 || text.front() != '_') return false;
    return std::all_of(text.begin() + 1, text.end(), [](char byte) {
        return is(byte_class::digit, byte) || (to_lower(byte) >= 'a' && to_lower(byte) <= 'z') ||
               byte == '.' || byte == '_' || byte == '-';
    });
}

bool read_port(std::string_view text, std::uint16_t& port) noexcept {
    if (hides(text)) return true;
    if (text.empty() || text.size() > 5 || !all(byte_class::digit, text)) return false;
    const auto number = base::parse_integer<std::uint16_t>(text);
    port = number.value_or(0);
    return number.has_value();
}

/// Cuts ":port" off the end of what is left behind a name.
bool read_port_behind(std::string_view rest, std::uint16_t& port) noexcept {
    return rest.empty() || (rest.front() == ':' && read_port(rest.substr(1), port));
}

/// Goes from hop to hop, beginning with the one that is nearest.
class walk {
  public:
    walk(const base::trust_list& hops, ipv6_form form) noexcept : hops_(hops), form_(form) {}

    /// True when the hop is trusted, so that the one before it counts.
    bool pass(std::string_view text) noexcept {
        const std::optional<forwarded_node> node = read_node(text, form_);
        if (!node) return end(verdict::malformed);
        if (!node->address) return end(verdict::hidden);
        said_.what = verdict::told;
        said_.node = *node;
        return hops_.names(*node->address);
    }
    bool end(verdict what) noexcept {
        said_ = {what, {}};
        return false;
    }

    [[nodiscard]] const forwarded_client& said() const noexcept { return said_; }

  private:
    const base::trust_list& hops_;
    ipv6_form form_;
    forwarded_client said_;
};

/// The elements of one Forwarded field: what each says by `for`, empty where it does not.
class element_reader {
  public:
    explicit element_reader(std::string_view text) noexcept : rest_(text) {}

    /// Appends to `nodes`; false where the text is not well-formed.
    bool read(std::vector<std::string>& nodes) {
        do {
            std::string node;
            bool empty = true;
            if (!read_element(node, empty)) return false;
            if (!empty) nodes.push_back(std::move(node));
        } while (take(','));
        return rest_.empty();
    }

  private:
    bool read_element(std::string& node, bool& empty) {
        std::vector<std::string_view> seen;
        do {
            skip_blanks();
            if (rest_.empty() || rest_.front() == ';' || rest_.front() == ',') continue;
            std::string value;
            const std::string_view name = take_token();
            if (name.empty() || !take('=') || !read_value(value)) return false;
            // Each at most once (RFC 7239, 4).
            const auto same = [name](std::string_view other) { return iequals(name, other); };
            if (seen.size() == most_pairs || std::any_of(seen.begin(), seen.end(), same)) return false;
            seen.push_back(name);
            empty = false;
            if (iequals(name, "for")) node = std::move(value);
            skip_blanks();
        } while (take(';'));
        return true;
    }

    bool read_value(std::string& value) {
        if (!take('"')) {
            value = take_token();
            return !value.empty();
        }
        while (!rest_.empty()) {
            char byte = rest_.front();
            rest_.remove_prefix(1);
            if (byte == '"') return true;
            if (byte == '\\') {
                if (rest_.empty()) return false;
                byte = rest_.front();
                rest_.remove_prefix(1);
            }
            value.push_back(byte);
        }
        return false;
    }

    std::string_view take_token() noexcept {
        const auto end =
            std::find_if_not(rest_.begin(), rest_.end(), [](char b) { return is(byte_class::token, b); });
        const auto size = static_cast<std::size_t>(end - rest_.begin());
        const std::string_view token = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return token;
    }

    bool take(char byte) noexcept {
        if (rest_.empty() || rest_.front() != byte) return false;
        rest_.remove_prefix(1);
        return true;
    }

    void skip_blanks() noexcept {
        while (take(' ') || take('\t')) {
        }
    }

    std::string_view rest_;
};

}  // namespace

std::optional<forwarded_node> read_node(std::string_view text, ipv6_form form) noexcept {
    forwarded_node node;
    if (text.starts_with('[')) {
        const std::size_t close = text.find(']');
        if (close == std::string_view::npos) return std::nullopt;
        node.address = base::ip_address::parse(text.substr(1, close - 1));
        if (!node.address || !node.address->v6) return std::nullopt;
        if (!read_port_behind(text.substr(close + 1), node.port)) return std::nullopt;
        return node;
    }
    if (form == ipv6_form::also_bare && std::count(text.begin(), text.end(), ':') > 1) {
        node.address = base::ip_address::parse(text);
        if (!node.address) return std::nullopt;
        return node;
    }
    const std::string_view name = text.substr(0, text.find(':'));
    if (!read_port_behind(text.substr(name.size()), node.port)) return std::nullopt;
    if (iequals(name, "unknown") || hides(name)) return node;
    node.address = base::ip_address::parse(name);
    if (!node.address) return std::nullopt;
    return node;
}

forwarded_client client_by_x_forwarded_for(std::span<const field> fields, const base::trust_list& hops) {
    walk way(hops, ipv6_form::also_bare);
    for (auto line = fields.rbegin(); line != fields.rend(); ++line) {
        if (!iequals(line->name, "X-Forwarded-For")) continue;
        std::string_view list = line->value;
        while (!list.empty()) {
            const std::size_t comma = list.rfind(',');
            const std::string_view element =
                trim(comma == std::string_view::npos ? list : list.substr(comma + 1));
            list = list.substr(0, comma == std::string_view::npos ? 0 : comma);
            if (!element.empty() && !way.pass(element)) return way.said();
        }
    }
    return way.said();
}

forwarded_client client_by_forwarded(std::span<const field> fields, const base::trust_list& hops) {
    walk way(hops, ipv6_form::in_brackets);
    std::vector<std::string> nodes;
    for (const field& line : fields) {
        if (!iequals(line.name, "Forwarded")) continue;
        if (element_reader(line.value).read(nodes)) continue;
        way.end(verdict::malformed);
        return way.said();
    }
    for (auto node = nodes.rbegin(); node != nodes.rend(); ++node) {
        // Who does not say `for` hides the client (RFC 7239, 5.2: it is optional).
        if (node->empty()) way.end(verdict::hidden);
        if (node->empty() || !way.pass(*node)) break;
    }
    return way.said();
}

}  // namespace unicoro::http
