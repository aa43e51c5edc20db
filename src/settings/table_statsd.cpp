// SPDX-License-Identifier: MIT
#include "settings/tables.hpp"

namespace unicoro::settings::tables {
namespace {

std::vector<setting> rows() {
    return {
        {.name = "statsd_host",
         .flags = "--statsd-host",
         .metavar = "HOST:PORT",
         .type = statsd_address(),
         .kept = stored_in<&server_settings::statsd, &statsd_settings::statsd_host>(),
         .help =
             "Send gunicorn's metrics to this StatsD daemon, by UDP or to unix:///PATH: gunicorn.requests, "
             "gunicorn.request.duration, gunicorn.request.status.CODE, gunicorn.log.LEVEL and "
             "gunicorn.workers"},
        {.name = "statsd_prefix",
         .flags = "--statsd-prefix",
         .metavar = "TEXT",
         .type = text(presence::may_be_empty),
         .kept = stored_in<&server_settings::statsd, &statsd_settings::statsd_prefix>(),
         .help = "What the names of these metrics begin with; a point follows"},
        {.name = "dogstatsd_tags",
         .flags = "--dogstatsd-tags",
         .metavar = "TAGS",
         .type = text(presence::may_be_empty),
         .kept = stored_in<&server_settings::statsd, &statsd_settings::dogstatsd_tags>(),
         .help = "Tags of these metrics in DogStatsD's form: a:b,c:d"},
        {.name = "enable_backlog_metric",
         .flags = "--enable-backlog-metric",
         .form = flag_form::switch_on,
         .type = boolean(),
         .kept = stored_in<&server_settings::statsd, &statsd_settings::enable_backlog_metric>(),
         .help = "Send gunicorn.backlog, too: how many connections wait to be accepted (TCP)"},
    };
}

}  // namespace

part statsd() {
    return {section::metrics, rows()};
}

}  // namespace unicoro::settings::tables
