// SPDX-License-Identifier: MIT
#include "settings/tables.hpp"

#include <algorithm>

namespace unicoro::settings::tables {
namespace {

constexpr member class_as_written{
    [](server_settings& settings, const json& value, const origin& from) {
        conversion<worker_class>::from_json(value, settings.worker_class);
        settings.worker_class_name = from.text;
    },
    stored_in<&server_settings::worker_class>().fetch,
};

/// None is the same as one: the thread of the loop.
constexpr member thread_count{
    [](server_settings& settings, const json& value, const origin&) {
        conversion<int>::from_json(value, settings.threads);
        settings.threads = std::max(settings.threads, 1);
    },
    stored_in<&server_settings::threads>().fetch,
};

std::string check_warm_up(std::string_view entry) {
    const auto plain = [](unsigned char each) { return each > ' ' && each < 0x7f; };
    bool known = entry.starts_with('/');
    for (const std::string_view scheme : {"http://", "https://"}) {
        known |= entry.starts_with(scheme) && entry.size() > scheme.size() && entry[scheme.size()] != '/';
    }
    if (known && std::ranges::all_of(entry, plain)) return {};
    return "a path such as \"/health\", or a URL such as \"https://example.com/\" where the host matters";
}

std::vector<setting> recycling() {
    return {
        {.name = "max_requests",
         .flags = "--max-requests",
         .metavar = "N",
         .type = whole_number(0, 1'000'000'000'000),
         .kept = stored_in<&server_settings::max_requests>(),
         .help = "How many requests a worker serves before it is replaced; 0 = never"},
        {.name = "max_requests_jitter",
         .flags = "--max-requests-jitter",
         .metavar = "N",
         .type = whole_number(0, 1'000'000'000'000),
         .kept = stored_in<&server_settings::max_requests_jitter>(),
         .help = "Each worker adds a random number up to this to max_requests"},
        {.name = "max_worker_lifetime",
         .flags = "--max-worker-lifetime",
         .metavar = "SECONDS",
         .type = seconds(),
         .kept = stored_in<&server_settings::max_worker_lifetime>(),
         .help = "How long a worker serves before it is replaced; 0 = for ever",
         .variable = variable_kind::ours},
        {.name = "max_worker_lifetime_jitter",
         .flags = "--max-worker-lifetime-jitter",
         .metavar = "SECONDS",
         .type = seconds(),
         .kept = stored_in<&server_settings::max_worker_lifetime_jitter>(),
         .help = "Each worker adds a random time up to this to max_worker_lifetime",
         .variable = variable_kind::ours},
        {.name = "recycle_share",
         .flags = "--recycle-share",
         .metavar = "PERCENT",
         .type = whole_number(1, 100),
         .kept = stored_in<&server_settings::recycle_share>(),
         .help = "How many of the workers, in percent, are replaced at the same time by the max_ rules and "
                 "reload; always one at least",
         .variable = variable_kind::ours},
    };
}

std::vector<setting> recycling_by_memory() {
    return {
        {.name = "max_worker_memory",
         .flags = "--max-worker-memory",
         .metavar = "SIZE",
         .type = byte_size(),
         .kept = stored_in<&server_settings::max_worker_memory>(),
         .help =
             "How much memory a worker may have before it is replaced, what it shares divided among those "
             "that share it (PSS, and swap); 0 = any",
         .variable = variable_kind::ours},
        {.name = "max_worker_memory_jitter",
         .flags = "--max-worker-memory-jitter",
         .metavar = "SIZE",
         .type = byte_size(),
         .kept = stored_in<&server_settings::max_worker_memory_jitter>(),
         .help = "Each worker adds a random amount up to this to max_worker_memory",
         .variable = variable_kind::ours},
        {.name = "worker_memory_limit",
         .flags = "--worker-memory-limit",
         .metavar = "SIZE",
         .type = byte_size(),
         .kept = stored_in<&server_settings::worker_memory_limit>(),
         .help =
             "A worker with more memory than this, counted as for max_worker_memory, is ended at once, and "
             "replaced; 0 = none",
         .variable = variable_kind::ours},
    };
}

std::vector<setting> process_limits() {
    return {
        {.name = "timeout",
         .flags = "-t,--timeout",
         .metavar = "SECONDS",
         .type = seconds(),
         .kept = stored_in<&server_settings::timeout>(),
         .help = "A worker that is silent for this long is killed and replaced; 0 = never"},
        {.name = "graceful_timeout",
         .flags = "--graceful-timeout",
         .metavar = "SECONDS",
         .type = seconds(),
         .kept = stored_in<&server_settings::graceful_timeout>(),
         .help = "How long running requests have to finish when a worker stops"},
        {.name = "shutdown_delay",
         .flags = "--shutdown-delay",
         .metavar = "SECONDS",
         .type = seconds(),
         .kept = stored_in<&server_settings::shutdown_delay>(),
         .help = "How long the server goes on serving after SIGTERM before it drains, so that load balancers "
                 "can stop sending; applications can ask (unicoro.stopping); a second SIGTERM cuts it short",
         .variable = variable_kind::ours},
        {.name = "drain_spread",
         .flags = "--drain-spread",
         .metavar = "SECONDS",
         .type = seconds(),
         .kept = stored_in<&server_settings::drain_spread>(),
         .help =
             "Over how long a worker that ends spreads the closing of its WebSockets (1012) and event "
             "streams, so that clients do not come back all at once; shorter than graceful_timeout; 0 = at "
             "once",
         .variable = variable_kind::ours},
        {.name = "boot_timeout",
         .flags = "--boot-timeout",
         .metavar = "SECONDS",
         .type = seconds(),
         .kept = stored_in<&server_settings::boot_timeout>(),
         .help = "How long a worker may take to load the application; 0 = no limit",
         .variable = variable_kind::ours},
        {.name = "warm_up",
         .flags = "--warm-up",
         .form = flag_form::repeated,
         .metavar = "PATH|URL",
         .type = text_list(commas::are_text, "paths or URLs", check_warm_up),
         .kept = stored_in<&server_settings::warm_up>(),
         .help =
             "A GET request that each worker answers before it counts as ready, with a status below 500 and "
             "within boot_timeout; a URL says which host and scheme the application sees; may be repeated",
         .variable = variable_kind::ours},
    };
}

std::vector<setting> warnings() {
    return {
        {.name = "blocked_loop_warning",
         .flags = "--blocked-loop-warning",
         .metavar = "SECONDS",
         .type = seconds(),
         .kept = stored_in<&server_settings::blocked_loop_warning>(),
         .help = "If one callback holds up a worker's loop for longer than this, the worker logs a warning "
                 "with its requests, the newest first, and the stack of the culprit; 0 = never. Does not "
                 "apply to Python code under the class sync, which holds the loop by design",
         .variable = variable_kind::ours},
        {.name = "slow_request_log",
         .flags = "--slow-request-log",
         .metavar = "SECONDS",
         .type = seconds(),
         .kept = stored_in<&server_settings::slow_request_log>(),
         .help =
             "Log a warning, once, about each request that has run in the application for longer than this: "
             "how long it waited and ran, its CPU time, and the stack where it is now; 0 = never",
         .variable = variable_kind::ours},
    };
}

std::vector<setting> development() {
    return {
        {.name = "preload_app",
         .flags = "--preload",
         .form = flag_form::switch_on,
         .type = boolean(),
         .kept = stored_in<&server_settings::preload_app>(),
         .help =
             "Load the application in a process that then forks the workers, so that they share its memory; "
             "a reload loads it anew"},
        {.name = "reload",
         .flags = "--reload",
         .form = flag_form::switch_on,
         .type = boolean(),
         .kept = stored_in<&server_settings::reload>(),
         .help = "Replace the workers when the code changes; while the application does not load, requests "
                 "are answered with its traceback. For development"},
        {.name = "reload_extra_files",
         .flags = "--reload-extra-file",
         .form = flag_form::repeated,
         .metavar = "FILE",
         .type = text_list(commas::are_text, "files"),
         .kept = stored_in<&server_settings::reload_extra_files>(),
         .help = "Another file, or pattern of files, whose changes replace the workers; may be repeated"},
        {.name = "spew",
         .flags = "--spew",
         .form = flag_form::switch_on,
         .type = boolean(),
         .kept = stored_in<&server_settings::spew>(),
         .help = "Print every line of Python as it runs"},
    };
}

std::vector<setting> processes() {
    return {
        {.name = "workers",
         .flags = "-w,--workers",
         .metavar = "N|auto",
         .type = worker_count(4096),
         .kept = stored_in<&server_settings::workers>(),
         .default_note = "$WEB_CONCURRENCY, else 1",
         .help = "How many worker processes to run; auto = as many as the CPUs that this process may use, "
                 "container quotas included"},
        {.name = "worker_class",
         .flags = "-k,--worker-class",
         .metavar = "CLASS",
         .type = worker_class_name(),
         .kept = class_as_written,
         .help = "How the application runs: sync = one request at a time in each worker, gthread = on "
                 "--threads threads, async = many at once (gevent for WSGI, coroutines otherwise), eventlet "
                 "= in eventlet's greenlets"},
        {.name = "threads",
         .flags = "--threads",
         .metavar = "N",
         .type = whole_number(0, 1024),
         .kept = thread_count,
         .help = "Threads that run a WSGI application in each worker; more than one turns the class sync "
                 "into gthread; 0 is the same as 1"},
        {.name = "worker_connections",
         .flags = "--worker-connections",
         .metavar = "N",
         .type = whole_number(1, 10'000'000),
         .kept = stored_in<&server_settings::worker_connections>(),
         .help = "How many connections a worker holds at once; a further one takes the place of the longest "
                 "idle one, or waits in the backlog"},
    };
}

}  // namespace

part workers() {
    return join(
        section::workers,
        {processes(), recycling(), recycling_by_memory(), process_limits(), warnings(), development()}
    );
}

}  // namespace unicoro::settings::tables
