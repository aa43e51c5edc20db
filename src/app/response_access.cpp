// SPDX-License-Identifier: MIT
#include "app/response_access.hpp"

#include "app/file_answer.hpp"
#include "app/media_type.hpp"
#include "log/log.hpp"

#include <string>
#include <utility>

namespace unicoro::app {
namespace {

void refuse_head(exchange& to, std::string_view what) {
    log::error(
        "{} {}: the application's response cannot be sent: {}",
        log::escaped(to.head().method),
        log::escaped(to.head().target),
        log::escaped(what)
    );
    to.fail(500, "");
}

}  // namespace

bool response_access::give_head(const response& answer, exchange& to) {
    http::response_head& head = to.response();
    if (head.set_status(answer.status_)) {
        refuse_head(to, "status " + std::to_string(answer.status_) + " is not in 200 to 599");
        return false;
    }
    bool typed = false;
    for (const auto& [name, value] : answer.headers_) {
        if (head.add(name, value)) {
            refuse_head(to, "header field '" + name + "' has an invalid name or value");
            return false;
        }
        typed = typed || http::iequals(name, "Content-Type");
    }
    if (!typed && !answer.content_type_.empty()) {
        [[maybe_unused]] const error_code valid = head.add("Content-Type", answer.content_type_);
    }
    return true;
}

bool response_access::give(response& answer, exchange& to) {
    if (!give_head(answer, to)) return true;
    auto* text = std::get_if<std::string>(&answer.body_);
    if (text == nullptr) return false;
    to.respond(std::move(*text));
    return true;
}

awaitable<void> response_access::send(response& answer, exchange& to, response_writer& writer) {
    const auto* stream = std::get_if<response::body_stream>(&answer.body_);
    if (stream == nullptr) {
        co_await send_file(answer, to);
        co_return;
    }
    // HEAD and bodiless statuses have no body to make: the head alone is the answer.
    const bool bodiless = to.head().method == "HEAD" || answer.status_ == 204 || answer.status_ == 304;
    if (*stream && !bodiless) co_await (*stream)(writer);
    [[maybe_unused]] const error_code ended = co_await to.finish();
}

awaitable<void> response_access::send_file(const response& answer, exchange& to) {
    const auto& path = std::get<std::filesystem::path>(answer.body_);
    const open_file file(path.c_str());
    if (!file.regular()) {
        log::info("{}: not a readable regular file, answering 404", log::escaped(path.string()));
        to.fail(404, "");
        co_return;
    }
    const file_description about{.media_type = media_type(path.native())};
    co_await answer_with_file(to, file, about);
}

}  // namespace unicoro::app
