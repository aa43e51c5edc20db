// SPDX-License-Identifier: MIT
#include "worker/request_rules.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace unicoro::worker {

request_rules::request_rules(const settings::server_settings& values, aio::deadline_service& deadlines)
    : usual_timeout_(&deadlines.queue(values.request_timeout)) {
    for (const settings::request_rule& each : values.request_rules) {
        rules_.push_back(
            {std::string(base::without_slash(each.path)),
             &deadlines.queue(each.request_timeout.value_or(values.request_timeout)),
             each.access_log}
        );
    }
}

request_rules::number request_rules::find(std::string_view path) const noexcept {
    const auto found = std::find_if(rules_.begin(), rules_.end(), [path](const rule& each) {
        // Else "/report%2F" were a way around the limits of "/report".
        return app::mounted_length(path, each.prefix, app::encoded_slash::ends_segment).has_value();
    });
    return found == rules_.end() ? none : static_cast<number>(found - rules_.begin() + 1);
}

aio::deadline_queue& request_rules::timeout(number of) const noexcept {
    return of == none ? *usual_timeout_ : *rules_[of - 1U].timeout;
}

bool request_rules::logs(number of, int status) noexcept {
    constexpr int first_failure = 400;
    if (of == none || status >= first_failure) return true;
    rule& its = rules_[of - 1U];
    its.owed += its.logged;
    if (its.owed < 1) return false;
    its.owed -= 1;
    return true;
}

bool limits_admission(const settings::server_settings& values) noexcept {
    return values.max_concurrent_requests > 0 ||
           std::any_of(values.request_rules.begin(), values.request_rules.end(), [](const auto& each) {
               return each.max_concurrent_requests > 0;
           });
}

admission::limits common_limits(const settings::server_settings& values) noexcept {
    return {values.max_concurrent_requests, values.queue_timeout, values.queue_order};
}

std::vector<admission::lane_limits> lanes_of(const settings::server_settings& values) {
    std::vector<admission::lane_limits> lanes{{.most_waiting = values.max_queued_requests}};
    for (const settings::request_rule& each : values.request_rules) {
        lanes.push_back(
            {each.max_concurrent_requests,
             each.max_queued_requests.value_or(values.max_queued_requests),
             each.priority,
             each.never_shed}
        );
    }
    return lanes;
}

}  // namespace unicoro::worker
