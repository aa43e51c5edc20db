// SPDX-License-Identifier: MIT
#include "app/failed_host.hpp"

#include <utility>

namespace unicoro::app {
namespace {

std::string as_html(std::string_view text) {
    std::string html;
    for (const char c : text) {
        switch (c) {
            case '&': html += "&amp;"; break;
            case '<': html += "&lt;"; break;
            case '>': html += "&gt;"; break;
            default: html += c;
        }
    }
    return html;
}

}  // namespace

failed_host::failed_host(std::unique_ptr<host> broken, std::string why)
    : broken_(std::move(broken)),
      page_(
          "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>The application does not "
          "load</title></head>\n<body><h1>The application does not load</h1>\n<p>It is loaded again when a "
          "file changes (reload).</p>\n<pre>" +
          as_html(why) + "</pre>\n</body></html>\n"
      ) {}

std::optional<load_error> failed_host::load(worker_context&) {
    return std::nullopt;
}

awaitable<std::optional<load_error>> failed_host::start(worker_context&) {
    co_return std::nullopt;
}

awaitable<void> failed_host::handle(exchange& request) {
    http::response_head& head = request.response();
    static_cast<void>(head.set_status(500));
    static_cast<void>(head.add("Content-Type", "text/html; charset=utf-8"));
    static_cast<void>(head.add("Cache-Control", "no-store"));
    request.respond(page_);
    co_return;
}

awaitable<void> failed_host::stop(worker_context&) {
    co_return;
}

std::vector<std::string> failed_host::code_files() {
    return broken_ ? broken_->code_files() : std::vector<std::string>();
}

}  // namespace unicoro::app
