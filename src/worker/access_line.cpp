// SPDX-License-Identifier: MIT
// What an exchange tells the access log.
#include "http/basic_user.hpp"
#include "log/access.hpp"
#include "worker/connection.hpp"
#include "worker/http1_exchange.hpp"
#include "worker/serving.hpp"

#include <chrono>
#include <vector>

namespace unicoro::worker {

void http1_exchange::write_access_line() const {
    log::access_record record;
    std::vector<log::field_view> request_fields;
    std::vector<log::field_view> response_fields;
    std::vector<log::field_view> environ_fields;
    std::string user;

    record.remote_address = connection_->info().remote_address;
    if (now_.running) {
        const http::request_head& head = parser_.head();
        record.method = head.method;
        record.target = head.target;
        record.path = head.path;
        record.query = head.query;
        record.protocol = head.protocol();
        if (const auto authorization = head.find("Authorization")) {
            user = http::basic_user(*authorization);
            record.user = user;
        }
        if (log::access_uses_request_fields()) {
            for (const http::field& each : head.fields) {
                request_fields.emplace_back(each.name, each.value);
            }
        }
    }
    if (log::access_uses_response_fields()) {
        std::vector<http::field> sent;
        response_.list_fields(sent);
        for (const http::field& each : sent) response_fields.emplace_back(each.name, each.value);
    }
    for (const auto& [name, value] : now_.environ) environ_fields.emplace_back(name, value);

    record.finished = std::chrono::system_clock::now();
    // Nothing was answered: the client went away, or the server gave it up (nginx's code for it).
    constexpr int client_closed_request = 499;
    constexpr int switching_protocols = 101;
    const bool answered = !now_.running || now_.head_sent;
    record.status = answered ? response_.status() : client_closed_request;
    if (now_.stage == phase::upgraded) record.status = switching_protocols;
    record.body_bytes = now_.body_sent;
    record.duration = std::chrono::nanoseconds(scoreboard::monotonic_now() - now_.started);
    record.request_fields = request_fields;
    record.response_fields = response_fields;
    record.environ_fields = environ_fields;
    log::write_access(record);
}

}  // namespace unicoro::worker
