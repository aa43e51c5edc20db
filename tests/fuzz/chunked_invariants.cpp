// SPDX-License-Identifier: MIT
#include "fuzz/invariant.hpp"
#include "http/chunk_decoder.hpp"

#include <cstddef>
#include <cstdint>

namespace unicoro::test {
namespace {

using http::chunk_decoder;
using status = chunk_decoder::status;

struct outcome {
    status what = status::need_more;
    int refusal = 0;
    std::size_t consumed = 0;
    std::string body;
    std::string wrong;

    bool operator==(const outcome&) const = default;
};

/// Gives it in pieces of that size.
outcome decode(std::string_view input, std::size_t piece, std::uint64_t limit) {
    constexpr std::size_t trailers = 64;
    chunk_decoder decoder;
    decoder.begin(limit, trailers);
    http::refusal why;
    outcome result;
    while (result.what == status::need_more || result.what == status::data) {
        const std::string_view given = input.substr(0, piece);
        const chunk_decoder::step step = decoder.decode(given, why);
        result.what = step.what;
        if (step.consumed > given.size()) result.wrong = "more is consumed than was given";
        if (step.what == status::data && step.data.empty()) result.wrong = "data without bytes";
        if (!step.data.empty() && (step.data.data() < given.data() ||
                                   step.data.data() + step.data.size() > given.data() + given.size())) {
            result.wrong = "data that was not given";
        }
        if (!result.wrong.empty()) return result;
        result.body += step.data;
        // How far a refusal has come is no part of it.
        if (step.what == status::refused) result.refusal = why.status;
        if (step.what != status::refused) result.consumed += step.consumed;
        if (step.what == status::need_more && step.consumed != given.size()) {
            result.wrong = "bytes are to be given twice";
            return result;
        }
        input.remove_prefix(step.consumed);
        if (input.empty() && step.what != status::complete && step.what != status::refused) break;
    }
    if (result.what == status::refused) result.consumed = 0;
    // Where the input ends behind data nobody has asked for more yet.
    if (result.what == status::data) result.what = status::need_more;
    return result;
}

std::string check(std::string_view input, std::uint64_t limit) {
    const outcome whole = decode(input, input.size() + 1, limit);
    if (!whole.wrong.empty()) return whole.wrong;
    if (limit != 0 && whole.body.size() > limit) return "a body over its limit";
    if (whole.what == status::refused && whole.refusal != 400 && whole.refusal != 413)
        return "a status of no rule";
    for (const std::size_t piece : {1UL, 2UL, 3UL, 7UL}) {
        if (decode(input, piece, limit) != whole)
            return "another result in pieces of " + std::to_string(piece);
    }
    return {};
}

}  // namespace

std::string broken_by(std::string_view input) {
    for (const std::uint64_t limit : {0UL, 8UL}) {
        std::string wrong = check(input, limit);
        if (!wrong.empty()) return wrong;
    }
    return {};
}

}  // namespace unicoro::test
