// SPDX-License-Identifier: MIT
// Each line of the input is one field, as clients and proxies have written it.
#include "fuzz/invariant.hpp"
#include "http/forwarding.hpp"

#include <algorithm>
#include <vector>

namespace unicoro::test {
namespace {

using namespace unicoro::http;
using verdict = forwarded_client::verdict;
using reader = forwarded_client (*)(std::span<const field>, const base::trust_list&);

const base::trust_list& no_proxies() {
    static const base::trust_list none;
    return none;
}

const base::trust_list& proxies() {
    static const base::trust_list some = [] {
        base::trust_list made;
        [[maybe_unused]] const bool added = made.add("*") && made.add("10.0.0.0/8") && made.add("fd00::/8");
        return made;
    }();
    return some;
}

bool same(const forwarded_client& a, const forwarded_client& b) {
    return a.what == b.what && a.node.address == b.node.address && a.node.port == b.node.port;
}

std::vector<field> fields_of(std::string_view name, const std::vector<std::string>& lines) {
    std::vector<field> fields{{"Host", "a"}};
    for (const std::string& line : lines) fields.push_back({name, line});
    return fields;
}

std::string check_outcome(const forwarded_client& said) {
    if (said.node.address.has_value() != (said.what == verdict::told)) return "an address that nobody told";
    if (!said.node.address) return {};
    if (base::ip_address::parse(said.node.address->text()) != said.node.address)
        return "an address in two spellings";
    return {};
}

/// What a proxy adds behind whatever a client has sent is what counts, unless nothing can be read.
std::string check_added(
    std::string_view name, reader read, const std::vector<std::string>& lines, const std::string& added
) {
    const std::vector<std::string> alone{added};
    const forwarded_client by_proxy = read(fields_of(name, alone), no_proxies());
    if (by_proxy.what != verdict::told) return "what a proxy adds is not read";
    std::vector<std::string> joined = lines;
    joined.back() += ", " + added;
    std::vector<std::string> apart = lines;
    apart.push_back(added);
    for (const std::vector<std::string>& all : {joined, apart}) {
        const forwarded_client said = read(fields_of(name, all), no_proxies());
        if (said.what != verdict::malformed && !same(said, by_proxy))
            return "a client has hidden what a proxy added";
    }
    return {};
}

std::string check(std::string_view name, reader read, const std::vector<std::string>& lines) {
    const forwarded_client said = read(fields_of(name, lines), proxies());
    std::string wrong = check_outcome(said);
    if (!wrong.empty()) return wrong;
    // Lists may be cut into fields, and fields be joined (RFC 9110, 5.3).
    std::string all;
    for (const std::string& line : lines) all += (all.empty() ? "" : ",") + line;
    const std::vector<std::string> joined{all};
    if (said.what != verdict::malformed && !same(read(fields_of(name, joined), proxies()), said)) {
        return "another client where the fields are joined";
    }
    return {};
}

}  // namespace

std::string broken_by(std::string_view input) {
    std::vector<std::string> lines;
    do {
        const std::size_t end = std::min(input.find('\n'), input.size());
        lines.emplace_back(input.substr(0, end));
        input.remove_prefix(std::min(end + 1, input.size()));
    } while (!input.empty());
    const struct {
        std::string_view name;
        reader read;
        std::vector<std::string> added;
    } kinds[] = {
        {"X-Forwarded-For", client_by_x_forwarded_for, {"198.51.100.7", "2001:db8::1"}},
        {"Forwarded", client_by_forwarded, {"for=198.51.100.7", R"(for="[2001:db8::1]:4711";by="_x")"}},
    };
    for (const auto& kind : kinds) {
        std::string wrong = check(kind.name, kind.read, lines);
        for (const std::string& added : kind.added) {
            if (wrong.empty()) wrong = check_added(kind.name, kind.read, lines, added);
        }
        if (!wrong.empty()) return std::string(kind.name) + ": " + wrong;
    }
    return {};
}

}  // namespace unicoro::test
