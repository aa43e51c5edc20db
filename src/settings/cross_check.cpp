// SPDX-License-Identifier: MIT
#include "settings/cross_check.hpp"

#include "base/text.hpp"
#include "log/access_format.hpp"
#include "settings/bind_address.hpp"
#include "settings/monitoring_check.hpp"

#include <algorithm>
#include <optional>
#include <system_error>

namespace unicoro::settings {
namespace {

namespace fs = std::filesystem;

class checker {
  public:
    checker(
        const server_settings& settings,
        const fs::path& start,
        const std::function<std::string(std::string_view name)>& where
    )
        : settings_(settings), base_(start), where_(where) {}

    verdict run() {
        check_folder();
        check_file("errorlog", settings_.errorlog);
        check_file("accesslog", settings_.accesslog);
        check_access_format();
        check_file("pidfile", settings_.pidfile);
        check_exists("logconfig", settings_.logconfig);
        check_exists("logconfig_json", settings_.logconfig_json);
        check_sockets();
        if (settings_.max_requests_jitter > 0 && settings_.max_requests == 0) {
            warn("max_requests_jitter", "has no effect without max_requests");
        }
        if (settings_.max_worker_lifetime_jitter.count() > 0 && settings_.max_worker_lifetime.count() == 0) {
            warn("max_worker_lifetime_jitter", "has no effect without max_worker_lifetime");
        }
        check_memory();
        if (settings_.drain_spread.count() > 0 && settings_.drain_spread >= settings_.graceful_timeout) {
            fail(
                "drain_spread",
                "must be shorter than graceful_timeout, which ends what is left: make it shorter, or " +
                    where_("graceful_timeout") + " longer"
            );
        }
        if (settings_.daemon && settings_.errorlog == "-" && !settings_.syslog.syslog &&
            !settings_.enable_stdio_inheritance) {
            warn("daemon", "leaves no trace of a failed start while errorlog is \"-\": give errorlog a file");
        }
        check_syslog();
        check_statsd();
        if (settings_.threads > 1 && settings_.worker_class != worker_class::gthread) {
            warn("threads", "has no effect with this worker class: only gthread has threads");
        }
        check_admission();
        check_monitoring(settings_, where_, verdict_);
        check_tls();
        check_http2();
        check_static();
        if (settings_.reload && settings_.preload_app) {
            fail(
                "reload", "does not go with " + where_("preload_app") + ", which keeps the code: remove one"
            );
        }
        if (settings_.reload && settings_.daemon) {
            warn("reload", "is for development, daemon is not");
        }
        if (!settings_.reload_extra_files.empty() && !settings_.reload) {
            warn("reload_extra_files", "has no effect without reload");
        }
        if (settings_.workers == 0) {
            warn("workers", "is 0: nothing is served until SIGTTIN adds a worker");
        }
        if (settings_.capture_output && settings_.errorlog == "-") {
            warn("capture_output", "has no effect while errorlog is \"-\": give errorlog a file");
        }
        return std::move(verdict_);
    }

  private:
    void check_certificate_files() {
        check_exists("certfile", settings_.tls.certfile);
        check_exists("keyfile", settings_.tls.keyfile);
        check_exists("ca_certs", settings_.tls.ca_certs);
        for (const std::string& path : settings_.tls.certificates) {
            std::error_code error;
            if (!fs::is_directory(base_ / path, error)) check_exists("certificates", path);
        }
    }

    void check_syslog() {
        const syslog_settings usual;
        const syslog_settings& syslog = settings_.syslog;
        const bool rules = syslog.syslog_addr != usual.syslog_addr || syslog.syslog_prefix ||
                           syslog.syslog_facility != usual.syslog_facility ||
                           syslog.syslog_format != usual.syslog_format ||
                           syslog.disable_redirect_access_to_syslog;
        if (rules && !syslog.syslog) {
            warn("syslog", "is off: without it the other settings of syslog have no effect");
        }
    }

    void check_statsd() {
        const statsd_settings& statsd = settings_.statsd;
        const bool rules =
            !statsd.statsd_prefix.empty() || !statsd.dogstatsd_tags.empty() || statsd.enable_backlog_metric;
        if (rules && !statsd.statsd_host) {
            warn("statsd_host", "is not given: without it the other settings of StatsD have no effect");
        }
    }

    void check_tls() {
        const tls_settings& tls = settings_.tls;
        if (!tls.certfile) {
            if (tls.keyfile) fail("keyfile", "has no certificate: name it with " + where_("certfile"));
            if (!tls.certificates.empty()) {
                fail(
                    "certificates", "come beside that of " + where_("certfile") + ": name the first one there"
                );
            }
            const bool rules = tls.cert_reqs != 0 || tls.ca_certs || tls.ciphers || tls.ciphersuites ||
                               tls.tls_min_version != tls_settings().tls_min_version;
            if (rules) warn("certfile", "is not given: without it the other settings of TLS have no effect");
            return;
        }
        check_certificate_files();
        if (tls.cert_reqs != 0 && !tls.ca_certs) {
            fail("cert_reqs", "needs the authorities of the clients' certificates: " + where_("ca_certs"));
        }
        if (tls.cert_reqs == 0 && tls.ca_certs) {
            warn("ca_certs", "has no effect while cert_reqs is 0, which asks for no certificate");
        }
    }

    void check_http2() {
        const http2_settings& http2 = settings_.http2;
        const bool in_clear = http2.http2_cleartext != http2_cleartext_mode::off;
        const std::vector<std::string>& spoken = http2.http_protocols;
        if (spoken.empty()) fail("http_protocols", "names no version of HTTP: write h1, h2 or both");
        for (const std::string_view each : {"h1", "h2"}) {
            if (std::count(spoken.begin(), spoken.end(), each) < 2) continue;
            fail("http_protocols", "names " + std::string(each) + " twice: remove one of the two");
        }
        if (in_clear && !http2.speaks("h2")) {
            fail("http2_cleartext", "needs HTTP/2: add h2 to " + where_("http_protocols"));
        }
        if (in_clear && settings_.tls.certfile) {
            warn("http2_cleartext", "has no effect with certfile: HTTP/2 is agreed on in the TLS handshake");
        }
        if (http2.speaks("h2") && !settings_.tls.certfile && !in_clear) {
            warn(
                "http_protocols",
                "names h2, which has no effect without certfile, or http2_cleartext for proxies that are "
                "trusted"
            );
        }
    }

    void check_memory() {
        if (settings_.max_worker_memory_jitter > 0 && settings_.max_worker_memory == 0) {
            warn("max_worker_memory_jitter", "has no effect without max_worker_memory");
        }
        const std::uint64_t limit = settings_.worker_memory_limit;
        const std::uint64_t most = settings_.max_worker_memory + settings_.max_worker_memory_jitter;
        if (settings_.max_worker_memory > 0 && limit > 0 && limit <= most) {
            fail(
                "worker_memory_limit",
                "must be more than " + where_("max_worker_memory") +
                    " and its jitter together, so that a worker is replaced before it is ended"
            );
        }
    }

    /// gunicorn changes the folder before it opens anything, so other paths start from there.
    void check_folder() {
        if (!settings_.chdir) return;
        const fs::path folder = base_ / *settings_.chdir;
        std::error_code error;
        if (fs::is_directory(folder, error)) {
            base_ = folder;
            return;
        }
        const bool exists = fs::exists(folder, error);
        const std::string shown = "\"" + base::printable(folder.string()) + "\" ";
        fail("chdir", shown + (exists ? "is not a folder" : "does not exist: create it"));
        base_known_ = false;
    }

    void check_file(std::string_view name, const std::optional<std::string>& file) {
        if (!file || *file == "-") return;
        if (!base_known_ && fs::path(*file).is_relative()) return;
        const fs::path path = base_ / *file;
        const fs::path folder = path.parent_path();
        std::error_code error;
        if (!fs::is_directory(folder, error)) {
            fail(
                name,
                "the folder \"" + base::printable(folder.string()) + "\" of the file \"" +
                    base::printable(*file) + "\" does not exist: create it"
            );
        } else if (fs::is_directory(path, error)) {
            fail(name, "\"" + base::printable(*file) + "\" is a folder, not a file");
        }
    }

    void check_static() {
        const file_settings& files = settings_.files;
        check_folders("static", files.static_folders);
        check_folders("static_internal", files.static_internal);
        for (const auto& [prefix, folder] : files.static_internal) {
            if (!files.static_folders.contains(prefix)) continue;
            const std::string shown = base::printable("\"" + prefix + "\"");
            const std::string reason = ": is a folder of " + where_("static") + ", which everybody may read";
            fail("static_internal", shown + reason + ", too: keep one");
        }
        if (!files.static_internal.empty() && !files.x_accel_redirect && !files.x_sendfile) {
            warn("static_internal", "has no effect without x_accel_redirect or x_sendfile");
        }
        if (!files.static_folders.empty() || !files.static_internal.empty()) return;
        if (!files.static_cache_control.empty()) {
            warn("static_cache_control", "has no effect without static or static_internal");
        }
        const std::string remedy = "needs folders to send files of: name them in static_internal or static";
        if (files.x_accel_redirect) fail("x_accel_redirect", remedy);
        if (files.x_sendfile) fail("x_sendfile", remedy);
    }

    void check_folders(const char* name, const std::map<std::string, std::string>& folders) {
        for (const auto& [prefix, folder] : folders) {
            const std::string shown = base::printable("\"" + prefix + "\"") + ": ";
            const bool mounted =
                std::ranges::any_of(settings_.apps, [&](const auto& each) { return each.first == prefix; });
            if (mounted) fail(name, shown + "is an application of " + where_("apps") + ", too: keep one");
            std::error_code error;
            if ((!base_known_ && fs::path(folder).is_relative()) || fs::is_directory(base_ / folder, error)) {
                continue;
            }
            const std::string path = "\"" + base::printable((base_ / folder).string()) + "\" ";
            const bool exists = fs::exists(base_ / folder, error);
            fail(name, shown + path + (exists ? "is not a folder" : "does not exist: create it"));
        }
    }

    void check_exists(std::string_view name, const std::optional<std::string>& file) {
        if (!file || (!base_known_ && fs::path(*file).is_relative())) return;
        std::error_code error;
        if (fs::is_regular_file(base_ / *file, error)) return;
        fail(
            name, "the file \"" + base::printable((base_ / *file).string()) + "\" does not exist: create it"
        );
    }

    void check_access_format() {
        const auto compiled = log::access_format::compile(settings_.access_log_format);
        if (!compiled) {
            fail("access_log_format", compiled.error());
        } else if (settings_.logger_class == default_logger_class) {
            for (const std::string& each : compiled->unknown_atoms()) {
                warn(
                    "access_log_format",
                    "knows no atom \"" + base::printable(each) +
                        "\", which is always -: " + std::string(log::access_format::known_atoms())
                );
            }
        }
    }

    void check_admission() {
        const bool rules_limit = std::any_of(
            settings_.request_rules.begin(),
            settings_.request_rules.end(),
            [](const request_rule& each) { return each.max_concurrent_requests > 0; }
        );
        if (settings_.max_concurrent_requests == 0 && !rules_limit) {
            const server_settings usual;
            const std::string none =
                "has no effect without max_concurrent_requests, here or in request_rules";
            if (settings_.max_queued_requests != usual.max_queued_requests) warn("max_queued_requests", none);
            if (settings_.queue_timeout != usual.queue_timeout) warn("queue_timeout", none);
            if (settings_.queue_order != usual.queue_order) warn("queue_order", none);
        }
        if (settings_.max_concurrent_requests > 1 && settings_.worker_class == worker_class::sync) {
            warn(
                "max_concurrent_requests",
                "is more than 1, and Python under the class sync runs one request at a time: the others it "
                "lets "
                "in wait beyond the reach of the queue's rules"
            );
        }
    }

    void check_families() {
        if (settings_.ipv6_only != ipv6_only_mode::off) return;
        for (const bind_address& all : settings_.bind) {
            if (!is_any_ipv6(all) || all.port == 0) continue;
            for (const bind_address& other : settings_.bind) {
                if (!is_ipv4(other) || other.port != all.port) continue;
                fail(
                    "ipv6_only",
                    "is off, so \"" + base::printable(all.text) + "\" takes IPv4 too, and \"" +
                        base::printable(other.text) + "\" of " + where_("bind") +
                        " cannot be bound as well: remove one of the three"
                );
            }
        }
    }

    void check_sockets() {
        check_families();
        if (!settings_.reuse_port) return;
        for (const bind_address& address : settings_.bind) {
            if (address.type == bind_address::kind::tcp) continue;
            fail(
                "reuse_port",
                "needs TCP addresses only, not \"" + base::printable(address.text) + "\" of " +
                    where_("bind") + ": remove one of the two"
            );
        }
    }

    void fail(std::string_view name, const std::string& text) {
        verdict_.errors.push_back(where_(name) + ": " + text);
    }

    void warn(std::string_view name, const std::string& text) {
        verdict_.warnings.push_back(where_(name) + ": " + text);
    }

    const server_settings& settings_;
    fs::path base_;
    bool base_known_ = true;
    const std::function<std::string(std::string_view name)>& where_;
    verdict verdict_;
};

}  // namespace

std::optional<std::string> join_apps(
    server_settings& settings, const std::function<std::string(std::string_view name)>& where
) {
    if (settings.apps.empty() || settings.app.empty()) return std::nullopt;
    // The shortest prefix there is comes last.
    if (settings.apps.back().first != "/") {
        settings.apps.emplace_back("/", settings.app);
        return std::nullopt;
    }
    return where("app") + ": \"" + base::printable(settings.app) + "\" and \"" +
           base::printable(settings.apps.back().second) + "\" of " + where("apps") +
           " are both meant for \"/\": remove one of the two";
}

verdict cross_check(
    const server_settings& settings,
    const fs::path& start,
    const std::function<std::string(std::string_view name)>& where
) {
    return checker(settings, start, where).run();
}

}  // namespace unicoro::settings
