// SPDX-License-Identifier: MIT
// The first line of the input is a format, the rest of it the values of a request.
#include "fuzz/invariant.hpp"
#include "log/access_format.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace unicoro::test {
namespace {

bool is_one_line(std::string_view text) {
    return std::none_of(text.begin(), text.end(), [](char byte) {
        return (static_cast<unsigned char>(byte) < 0x20 && byte != '\t') || byte == '\x7f';
    });
}

std::string line_of(const log::access_format& format, std::string_view value) {
    const std::array<log::field_view, 2> fields{{{"X-Forwarded-For", value}, {"Server", "a\"b"}}};
    log::access_record record;
    record.remote_address = value;
    record.user = value;
    record.method = "GET";
    record.target = record.path = record.query = value;
    record.protocol = "HTTP/1.1";
    record.status = 200;
    record.body_bytes = ~std::uint64_t{0};
    record.duration = std::chrono::nanoseconds::max();
    record.request_fields = record.response_fields = record.environ_fields = fields;
    std::string line;
    format.append(line, record);
    return line;
}

}  // namespace

std::string broken_by(std::string_view input) {
    const std::size_t end = std::min(input.find('\n'), input.size());
    const std::string_view text = input.substr(0, end);
    const std::string_view value = input.substr(std::min(end + 1, input.size()));
    const auto format = log::access_format::compile(text);
    if (!format)
        return format.error().empty() || !is_one_line(format.error()) ? "an error that is no line" : "";
    if (!is_one_line(line_of(*format, value))) return "a request that is more than one line";
    const auto as_json = log::access_format::compile("json");
    if (!as_json || !nlohmann::json::accept(line_of(*as_json, value))) return "JSON that is none";
    return {};
}

}  // namespace unicoro::test
