// SPDX-License-Identifier: MIT
#include "settings/tables.hpp"

namespace unicoro::settings::tables {
namespace {

constexpr std::int64_t most_requests = 10'000'000;

std::vector<setting> rows() {
    return {
        {.name = "max_concurrent_requests",
         .flags = "--max-concurrent-requests",
         .metavar = "N",
         .type = whole_number(0, most_requests),
         .kept = stored_in<&server_settings::max_concurrent_requests>(),
         .help = "How many requests a worker has in its application at once; others wait in its queue. An "
                 "accepted WebSocket does not count; 0 = no limit",
         .variable = variable_kind::ours},
        {.name = "max_queued_requests",
         .flags = "--max-queued-requests",
         .metavar = "N",
         .type = whole_number(0, most_requests),
         .kept = stored_in<&server_settings::max_queued_requests>(),
         .help = "How many requests wait in a worker's queue, and in that of each rule; one more is answered "
                 "503 with Retry-After. 0 = none waits",
         .variable = variable_kind::ours},
        {.name = "queue_timeout",
         .flags = "--queue-timeout",
         .metavar = "SECONDS",
         .type = seconds(),
         .kept = stored_in<&server_settings::queue_timeout>(),
         .help = "How long a request waits in the queue before it is answered 503; 0 = no limit",
         .variable = variable_kind::ours},
        {.name = "queue_order",
         .flags = "--queue-order",
         .metavar = "ORDER",
         .type = choice_of<queue_order>(),
         .kept = stored_in<&server_settings::queue_order>(),
         .help = "Which waiting request is next: fifo = the oldest; adaptive_lifo = the newest, while the "
                 "queue has not been empty for a quarter of queue_timeout",
         .variable = variable_kind::ours},
        {.name = "request_rules",
         .type = rule_list(),
         .kept = stored_in<&server_settings::request_rules>(),
         .help = "Rules by path, such as [{\"path\": \"/report\", \"max_concurrent_requests\": 2, "
                 "\"request_timeout\": 60}, {\"path\": \"/login\", \"priority\": \"high\"}, {\"path\": "
                 "\"/health\", \"never_shed\": true, \"access_log\": 0}]: the longest path counts, in whole "
                 "segments, and "
                 "requests of a rule wait in a queue of their own",
         .variable = variable_kind::ours},
        {.name = "queue_time",
         .flags = "--queue-time",
         .form = flag_form::switch_on,
         .type = boolean(),
         .kept = stored_in<&server_settings::queue_time>(),
         .help = "Measure how long each request waited before the application saw it, and tell it (environ "
                 "and scope: unicoro.queue_time); without this it is measured where a setting or the access "
                 "log needs it",
         .variable = variable_kind::ours},
    };
}

}  // namespace

part admission() {
    return {section::admission, rows()};
}

}  // namespace unicoro::settings::tables
