// SPDX-License-Identifier: MIT
#include <unicoro/response.hpp>

#include "app/exchange.hpp"

#include <boost/system/system_error.hpp>

#include <utility>

namespace unicoro {

awaitable<void> response_writer::write(std::string_view piece) {
    const error_code ec = co_await exchange_.write(piece);
    if (ec) throw boost::system::system_error(ec);
}

response response::text(std::string body, int status) {
    response made(status);
    made.content_type_ = "text/plain; charset=utf-8";
    made.body_ = std::move(body);
    return made;
}

response response::html(std::string body, int status) {
    response made(status);
    made.content_type_ = "text/html; charset=utf-8";
    made.body_ = std::move(body);
    return made;
}

response response::json(std::string body, int status) {
    response made(status);
    made.content_type_ = "application/json";
    made.body_ = std::move(body);
    return made;
}

response response::redirect(std::string location, int status) {
    response made(status);
    made.headers_.emplace_back("Location", std::move(location));
    return made;
}

response response::file(std::filesystem::path path) {
    response made;
    made.body_ = std::move(path);
    return made;
}

response response::stream(std::string content_type, body_stream write_body) {
    response made;
    if (!content_type.empty()) made.headers_.emplace_back("Content-Type", std::move(content_type));
    made.body_ = std::move(write_body);
    return made;
}

response& response::add_header(std::string name, std::string value) & {
    headers_.emplace_back(std::move(name), std::move(value));
    return *this;
}

response&& response::add_header(std::string name, std::string value) && {
    headers_.emplace_back(std::move(name), std::move(value));
    return std::move(*this);
}

}  // namespace unicoro
