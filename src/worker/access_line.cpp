// SPDX-License-Identifier: MIT
// What a request tells the access log, and StatsD.
#include "http/basic_user.hpp"
#include "log/access.hpp"
#include "log/metrics.hpp"
#include "worker/request_run.hpp"
#include "worker/serving.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

namespace unicoro::worker {

int request_run::outcome() const noexcept {
    if (now_.logged_status != 0) return now_.logged_status;
    // Nothing was answered: the client went away, or the server gave it up (nginx's code for it).
    constexpr int client_closed_request = 499;
    const bool answered = !now_.running || head_sent();
    return answered ? response_.status() : client_closed_request;
}

bool request_run::measures_cpu() const noexcept {
    return shared_.measures_cpu;
}

void request_run::add_cpu_time(std::chrono::nanoseconds used) noexcept {
    now_.cpu_time = std::max<std::int64_t>(now_.cpu_time, 0) + used.count();
}

void request_run::answer_begins() {
    if (shared_.measures_first_byte) now_.first_byte = scoreboard::monotonic_now();
    if (shared_.load) report_load();
}

// What the application says of itself counts.
void request_run::report_load() {
    if (!now_.running || response_.find(load_report::field)) return;
    const auto asked = head().find(load_report::asking_field);
    const auto wanted = asked ? load_report::format_named(*asked) : std::nullopt;
    if (!wanted) return;
    const std::string told = shared_.load->text(*wanted, scoreboard::monotonic_now());
    [[maybe_unused]] const error_code valid = response_.add(load_report::field, told);
}

void request_run::tell_metrics() const noexcept {
    // The monitor's own are nobody's requests.
    if (!shared_.logs_access || !log::metrics_enabled()) return;
    log::count_request(outcome(), std::chrono::nanoseconds(scoreboard::monotonic_now() - now_.started));
}

void request_run::write_access_line() {
    const int status = outcome();
    if (!shared_.rules.logs(now_.rule, status)) return;
    log::access_record record;
    std::vector<log::field_view> request_fields;
    std::vector<log::field_view> response_fields;
    std::vector<log::field_view> environ_fields;
    std::string user;

    record.remote_address = client().address;
    if (now_.running) {
        const http::request_head& asked = head();
        record.method = asked.method;
        record.target = asked.target;
        record.path = asked.path;
        record.query = asked.query;
        // As proxies write it, with a minor version that HTTP/2 has none of.
        record.protocol = asked.version == http::version::http_2 ? "HTTP/2.0" : asked.protocol();
        if (const auto authorization = asked.find("Authorization")) {
            user = http::basic_user(*authorization);
            record.user = user;
        }
        if (log::access_uses_request_fields()) {
            for (const http::field& each : asked.fields) {
                request_fields.emplace_back(each.name, each.value);
            }
        }
    }
    if (log::access_uses_response_fields()) {
        std::vector<http::field> sent;
        response_.list_fields(sent);
        for (const http::field& each : sent) response_fields.emplace_back(each.name, each.value);
    }
    environ_fields.reserve(now_.environ.size());
    for (const auto& [name, value] : now_.environ) environ_fields.emplace_back(name, value);

    record.finished = std::chrono::system_clock::now();
    record.status = status;
    record.body_bytes = now_.body_sent;
    record.duration = std::chrono::nanoseconds(scoreboard::monotonic_now() - now_.started);
    if (now_.running) {
        record.waited = waited();
        const bool begun = now_.first_byte != 0;
        if (begun) record.first_byte = std::chrono::nanoseconds(now_.first_byte - now_.started);
    }
    if (now_.cpu_time >= 0) record.cpu_time = std::chrono::nanoseconds(now_.cpu_time);
    record.request_fields = request_fields;
    record.response_fields = response_fields;
    record.environ_fields = environ_fields;
    log::write_access(record);
}

}  // namespace unicoro::worker
