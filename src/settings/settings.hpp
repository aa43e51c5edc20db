// SPDX-License-Identifier: MIT
#pragma once

#include "http/policy.hpp"
#include "http/proxy_header.hpp"
#include "log/level.hpp"
#include "settings/address.hpp"
#include "settings/compression_settings.hpp"
#include "settings/file_settings.hpp"
#include "settings/http2_settings.hpp"
#include "settings/log_settings.hpp"
#include "settings/monitoring_settings.hpp"
#include "settings/tls_settings.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unicoro::settings {

using seconds_setting = std::chrono::milliseconds;  ///< written in seconds, "0.5" allowed

/// How the application runs (`-k`). Aliases (gevent, asgi, ...) are resolved when the settings are.
enum class worker_class { sync, gthread, async, eventlet };

using log_level = log::level;

/// How the application is called (`interface`).
enum class app_interface { auto_detect, wsgi, asgi, native };

/// Whether start and stop are announced to an ASGI application (`asgi_lifespan`).
enum class lifespan_mode { auto_detect, on, off };

/// Whether a socket of IPv6 takes IPv4 connections too (`ipv6_only`): `system` = as the kernel has it.
enum class ipv6_only_mode { system, on, off };
/// Which of the requests that wait is next (`queue_order`).
enum class queue_order { fifo, adaptive_lifo };

/// Who of those that wait goes first (`priority` of a rule).
enum class request_priority { high, normal, low };

/// What `request_rules` says of the requests below a path.
struct request_rule {
    std::string path;                                ///< without a slash at its end, but for "/"
    std::size_t max_concurrent_requests = 0;         ///< 0 = only the worker's own limit
    std::optional<std::size_t> max_queued_requests;  ///< none = as the setting of that name
    std::optional<seconds_setting> request_timeout;  ///< none = as the setting of that name
    request_priority priority = request_priority::normal;
    bool never_shed = false;
    double access_log = 1;  ///< the share of lines that is written, failures aside
};

/// gunicorn's own, which stands for ours.
inline constexpr std::string_view default_logger_class = "gunicorn.glogging.Logger";

/// Every setting with its value in force: defaults < file < UNICORO_CMD_ARGS < command line.
/// Immutable once resolved; master and workers hold it by const reference for their whole life.
/// Names and defaults are gunicorn's where gunicorn has the setting; see docs/settings.md.
struct server_settings {
    // application
    std::string app;  ///< app spec; empty = not given
    /// Path prefix and app spec, the longest prefix first; empty = `app` alone is served. When it is
    /// not, it holds `app` too (as "/").
    std::vector<std::pair<std::string, std::string>> apps;
    app_interface interface = app_interface::auto_detect;
    std::string python;  ///< interpreter or venv folder; empty = find one
    std::vector<std::string> pythonpath;
    std::optional<std::string> chdir;
    std::vector<std::pair<std::string, std::string>> raw_env;

    // sockets
    std::vector<bind_address> bind{{.host = "127.0.0.1", .port = 8000, .text = "127.0.0.1:8000"}};
    int backlog = 2048;
    bool reuse_port = false;
    ipv6_only_mode ipv6_only = ipv6_only_mode::system;

    // workers
    int workers = 1;  ///< resolved ("auto" already counted)
    settings::worker_class worker_class = settings::worker_class::sync;
    int threads = 1;
    std::size_t worker_connections = 1000;
    std::uint64_t max_requests = 0;  ///< 0 = off
    std::uint64_t max_requests_jitter = 0;
    seconds_setting max_worker_lifetime{0};  ///< 0 = for ever
    seconds_setting max_worker_lifetime_jitter{0};
    std::uint64_t max_worker_memory = 0;  ///< bytes, proportional; 0 = any
    std::uint64_t max_worker_memory_jitter = 0;
    std::uint64_t worker_memory_limit = 0;  ///< bytes, proportional; 0 = none
    std::vector<std::string> warm_up;       ///< paths, or URLs that name the host and scheme
    int recycle_share = 25;                 ///< percent of the workers
    seconds_setting timeout{30'000};        ///< heartbeat silence; 0 = never kill
    seconds_setting graceful_timeout{30'000};
    seconds_setting shutdown_delay{0};     ///< served on for so long after SIGTERM
    seconds_setting drain_spread{0};       ///< over which a drain closes WebSockets; 0 = at once
    seconds_setting boot_timeout{60'000};  ///< 0 = wait for ever
    bool preload_app = false;
    bool reload = false;
    std::vector<std::string> reload_extra_files;  ///< as written: files or patterns (globs)
    bool spew = false;
    seconds_setting blocked_loop_warning{1'000};  ///< 0 = off
    seconds_setting slow_request_log{0};          ///< 0 = off

    // transport limits
    seconds_setting keepalive{2'000};  ///< 0 = close after each response
    seconds_setting header_timeout{10'000};
    seconds_setting body_timeout{30'000};  ///< longest silence while a body arrives
    seconds_setting send_timeout{30'000};  ///< longest silence while a response leaves
    seconds_setting request_timeout{0};    ///< 0 = none

    // admission
    std::size_t max_concurrent_requests = 0;  ///< in a worker; 0 = any number
    std::size_t max_queued_requests = 100;
    seconds_setting queue_timeout{5'000};  ///< 0 = none
    settings::queue_order queue_order = settings::queue_order::fifo;
    std::vector<request_rule> request_rules;  ///< the longest path first
    bool queue_time = false;                  ///< measured even where nothing else asks for it

    monitoring_settings monitoring;

    // WebSocket
    seconds_setting ws_ping_interval{20'000};      ///< 0 = no pings
    seconds_setting ws_ping_timeout{20'000};       ///< 0 = a pong is not waited for
    std::uint64_t ws_max_size = 16 * 1024 * 1024;  ///< bytes of a message; 0 = any
    bool ws_per_message_deflate = true;

    // HTTP
    http::policy policy;                                               ///< what requests are accepted
    std::vector<std::string> forwarded_allow_ips{"127.0.0.1", "::1"};  ///< addresses, CIDR, "*"
    http::proxy_protocol proxy_protocol = http::proxy_protocol::off;
    std::vector<std::string> proxy_allow_ips{"127.0.0.1", "::1"};  ///< as forwarded_allow_ips
    std::string server_header = "unicoro";                         ///< empty = no Server field
    bool sendfile = true;
    bool early_hints = true;

    file_settings files;
    compression_settings compression;
    tls_settings tls;
    http2_settings http2;

    // ASGI
    lifespan_mode lifespan = lifespan_mode::auto_detect;
    seconds_setting asgi_disconnect_grace_period{3'000};
    std::string root_path;

    // process
    bool daemon = false;
    std::optional<std::string> pidfile;
    std::optional<std::string> user;  ///< resolved by os at start
    std::optional<std::string> group;
    bool initgroups = false;
    unsigned umask = 0;  ///< for unix sockets
    std::optional<std::string> proc_name;

    /// Hook (gunicorn's name) and function: "module:function", or "/path/of/file.py:function" for
    /// one in a file that is no importable module, such as gunicorn.conf.py.
    std::map<std::string, std::string> hooks;

    // logging
    std::optional<std::string> accesslog;  ///< path, "-" = stdout; none = off
    std::string access_log_format =
        R"(%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s")";  ///< or "json"
    std::string errorlog = "-";                                            ///< path, "-" = stderr
    log_level loglevel = log_level::info;
    bool capture_output = false;
    bool enable_stdio_inheritance = false;
    syslog_settings syslog;
    statsd_settings statsd;

    // Python's logging
    std::string logger_class{default_logger_class};
    std::optional<std::string> logconfig;       ///< path of an ini file
    std::string logconfig_dict = "{}";          ///< JSON: the dictionary, or the name of one
    std::optional<std::string> logconfig_json;  ///< path of a JSON file

    // as it was written, and where it came from
    std::string worker_class_name;           ///< "gevent", say; empty = the default, or made of threads
    std::string bind_origin;                 ///< "command line: --bind"; empty = the default, or PORT
    std::optional<std::string> config_file;  ///< absolute path of the file read, or "python:MODULE"
    bool run_config_file = false;            ///< it is a Python file that does more than set variables
    std::vector<std::string> command_line;   ///< from the absolute path of the program on
};

/// True when settings say something about Python's logging.
[[nodiscard]] bool shapes_logging(const server_settings& settings) noexcept;

/// What is served, for people: "app:app", or "/: app:app, /api: api:asgi".
[[nodiscard]] std::string describe_applications(const server_settings& settings);

}  // namespace unicoro::settings
