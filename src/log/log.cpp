// SPDX-License-Identifier: MIT
#include "log/log.hpp"

#include "log/access.hpp"
#include "log/access_format.hpp"
#include "log/line_file.hpp"
#include "log/line_sink.hpp"
#include "log/metrics.hpp"
#include "log/open.hpp"
#include "log/statsd_output.hpp"
#include "log/syslog_output.hpp"
#include "log/text.hpp"

#include <spdlog/logger.h>

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <memory>
#include <utility>

namespace unicoro::log {
namespace {

spdlog::level::level_enum spdlog_level(level at) noexcept {
    switch (at) {
        case level::debug: return spdlog::level::debug;
        case level::info: return spdlog::level::info;
        case level::warning: return spdlog::level::warn;
        case level::error: return spdlog::level::err;
        case level::critical: break;
    }
    return spdlog::level::critical;
}

/// A target, and the spdlog logger that leads to it. The loggers stay out of spdlog's registry.
template <class Sink>
struct channel {
    explicit channel(int standard_fd)
        : file(standard_fd), sink(std::make_shared<Sink>(file)), logger("", sink) {}
    line_file file;
    std::shared_ptr<Sink> sink;
    spdlog::logger logger;
};

struct access_log {
    explicit access_log(access_format chosen) : format(std::move(chosen)) {}
    access_format format;
    std::unique_ptr<channel<ready_line_sink>> lines;  // none: the relay alone gets them
};

/// The logs in force. Replaced as a whole by `open`, so that a failure changes nothing.
struct logs {
    logs() : error(STDERR_FILENO) { error.logger.set_level(spdlog::level::info); }
    channel<error_sink> error;
    std::unique_ptr<access_log> access;
    std::unique_ptr<syslog_output> syslog;  // none: the files alone
    std::unique_ptr<statsd_output> statsd;  // none: nothing is counted
    bool capture_output = false;
};

/// Never destroyed: destructors of other statics may still log.
std::unique_ptr<logs>& current() {
    static auto& instance = *new std::unique_ptr<logs>(std::make_unique<logs>());
    return instance;
}

std::atomic<access_relay> relay{nullptr};  // of the process

/// Where access lines go beside their file, if anywhere.
syslog_output* access_syslog(const logs& now) noexcept {
    return now.syslog && now.syslog->takes_access() ? now.syslog.get() : nullptr;
}

/// The access log, if there is anyone for its lines.
const access_log* wanted_access() noexcept {
    const logs& now = *current();
    const access_log* const access = now.access.get();
    const bool wanted = access != nullptr && (access->lines || access_syslog(now) != nullptr ||
                                              relay.load(std::memory_order_relaxed) != nullptr);
    return wanted ? access : nullptr;
}

void capture_standard_streams(const logs& chosen) noexcept {
    if (!chosen.capture_output || !chosen.error.file.is_file()) return;
    ::dup2(chosen.error.file.descriptor(), STDOUT_FILENO);
    ::dup2(chosen.error.file.descriptor(), STDERR_FILENO);
}

/// The stdout the server was started with. An access log "on stdout" is meant for it, also when
/// capture_output turns stdout into the error log.
int uncaptured_stdout() noexcept {
    static const int copy = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    return copy < 0 ? STDOUT_FILENO : copy;
}

std::optional<std::string> open_access(const options& chosen, logs& into) {
    auto format = access_format::compile(chosen.access_log_format);
    if (!format) return "access_log_format: " + format.error();
    into.access = std::make_unique<access_log>(*std::move(format));
    if (!chosen.accesslog) return std::nullopt;
    const bool apart = chosen.capture_output && chosen.keeps_stdout;
    const int standard_fd = apart ? uncaptured_stdout() : STDOUT_FILENO;
    auto& lines = into.access->lines;
    lines = std::make_unique<channel<ready_line_sink>>(standard_fd);
    if (*chosen.accesslog == "-") return std::nullopt;
    auto failed = lines->file.open(*chosen.accesslog, {chosen.owner, chosen.group});
    if (failed) return "accesslog: " + *failed;
    return std::nullopt;
}

/// Calls visit(setting, file) for each file of the logs.
template <class Visit>
void for_each_file(logs& of, Visit visit) {
    if (of.error.file.is_file()) visit("errorlog", of.error.file);
    if (of.access && of.access->lines && of.access->lines->file.is_file()) {
        visit("accesslog", of.access->lines->file);
    }
}

}  // namespace

bool enabled(level at) noexcept {
    return current()->error.logger.should_log(spdlog_level(at));
}

void write(level at, std::string_view message) noexcept {
    logs& now = *current();
    try {
        now.error.logger.log(spdlog_level(at), spdlog::string_view_t(message));
        if (now.syslog && enabled(at)) now.syslog->error(at, message);
        if (now.statsd) now.statsd->logged(at);
    } catch (...) {
        // Out of memory for one line: there is no place left to say so.
        return;
    }
}

std::string escaped(std::string_view text) {
    std::string line;
    line.reserve(text.size());
    append_text(line, text, text_form::one_line);
    return line;
}

std::optional<std::string> open(const options& chosen) {
    // glibc's localtime_r reads TZ only once; the settings may have set it since (raw_env).
    ::tzset();
    auto made = std::make_unique<logs>();
    made->capture_output = chosen.capture_output;
    made->error.logger.set_level(spdlog_level(chosen.loglevel));
    if (chosen.errorlog != "-") {
        auto failed = made->error.file.open(chosen.errorlog, {chosen.owner, chosen.group});
        if (failed) return "errorlog: " + *failed;
    }
    if (auto failed = open_access(chosen, *made)) return failed;
    if (chosen.syslog) {
        std::string problem;
        made->syslog = syslog_output::open(*chosen.syslog, problem);
        if (!made->syslog) return "syslog_addr: " + problem;
    }
    if (chosen.statsd) {
        std::string problem;
        made->statsd = statsd_output::open(*chosen.statsd, problem);
        if (!made->statsd) return "statsd_host: " + problem;
    }
    capture_standard_streams(*made);
    current() = std::move(made);
    return std::nullopt;
}

void reopen() noexcept {
    logs& now = *current();
    try {
        for_each_file(now, [](const char* setting, line_file& file) {
            if (const auto failed = file.reopen()) {
                error("{}: {}; the file opened before stays in use", setting, *failed);
            }
        });
        capture_standard_streams(now);
    } catch (...) {
        write(level::error, "the logs could not be reopened: out of memory");
    }
}

std::vector<open_file> open_files() {
    std::vector<open_file> found;
    for_each_file(*current(), [&found](const char*, const line_file& file) {
        found.push_back({file.path(), file.descriptor()});
    });
    return found;
}

void take_over(const open_file& opened) noexcept {
    logs& now = *current();
    for_each_file(now, [&opened](const char* setting, line_file& file) {
        if (file.path() == opened.path && !file.replace(opened.descriptor)) {
            error("{}: the file opened before stays in use: {}", setting, std::strerror(errno));
        }
    });
    capture_standard_streams(now);
}

bool flush_waiting() noexcept {
    logs& now = *current();
    try {
        if (now.error.file.flush()) now.error.sink->report_loss();
        if (now.access && now.access->lines && now.access->lines->file.flush()) {
            now.access->lines->sink->report_loss();
        }
        if (now.syslog) now.syslog->flush();
    } catch (...) {
        write(level::error, "lost log lines could not be reported: out of memory");
    }
    return now.error.file.settled() &&
           (!now.access || !now.access->lines || now.access->lines->file.settled()) &&
           (!now.syslog || now.syslog->settled());
}

void settle() noexcept {
    constexpr std::chrono::milliseconds time_for_readers{500};
    constexpr timespec pause{0, 5'000'000};
    const auto until = std::chrono::steady_clock::now() + time_for_readers;
    while (!flush_waiting() && std::chrono::steady_clock::now() < until) ::nanosleep(&pause, nullptr);
}

void follow_streams() noexcept {
    logs& now = *current();
    now.error.file.follow();
    if (now.access && now.access->lines) now.access->lines->file.follow();
}

std::vector<int> own_descriptors() {
    const logs& now = *current();
    std::vector<int> found{now.error.file.own_descriptor()};
    if (now.access && now.access->lines) found.push_back(now.access->lines->file.own_descriptor());
    std::erase(found, -1);
    return found;
}

int descriptor() noexcept {
    return current()->error.file.descriptor();
}

void write_ready(std::string_view lines) noexcept {
    logs& now = *current();
    now.error.file.write_line(lines);
    if (now.syslog) now.syslog->error_lines(lines);
}

bool metrics_enabled() noexcept {
    return current()->statsd != nullptr;
}

void count_request(int status, std::chrono::nanoseconds duration) noexcept {
    if (statsd_output* const statsd = current()->statsd.get()) statsd->request(status, duration);
}

void gauge(std::string_view name, std::int64_t value) noexcept {
    if (statsd_output* const statsd = current()->statsd.get()) statsd->gauge(name, value);
}

bool access_enabled() noexcept {
    return wanted_access() != nullptr;
}

void relay_access(access_relay chosen) noexcept {
    relay = chosen;
}

void write_ready_access(std::string_view lines) noexcept {
    const logs& now = *current();
    if (syslog_output* const syslog = access_syslog(now)) syslog->access(lines, nullptr);
    access_log* const access = now.access.get();
    if (access == nullptr || !access->lines) return;
    try {
        access->lines->logger.log(spdlog::level::info, spdlog::string_view_t(lines));
    } catch (...) {
        write(level::error, "an access-log line was lost: out of memory");
    }
}

int access_descriptor() noexcept {
    const access_log* const access = current()->access.get();
    return access != nullptr && access->lines ? access->lines->file.descriptor() : -1;
}

void write_access(const access_record& record) noexcept {
    const access_log* const access = wanted_access();
    if (access == nullptr) return;
    try {
        thread_local std::string line;
        line.clear();
        access->format.append(line, record);
        const access_relay taker = relay.load();
        if (taker != nullptr && taker(record, line)) return;
        if (syslog_output* const syslog = access_syslog(*current())) syslog->access(line, &record);
        if (!access->lines) return;
        line += '\n';
        access->lines->logger.log(spdlog::level::info, spdlog::string_view_t(line));
    } catch (...) {
        write(level::error, "an access-log line was lost: out of memory");
    }
}

bool access_uses_request_fields() noexcept {
    const access_log* const access = wanted_access();
    return access != nullptr && (relay.load() != nullptr || access->format.uses_request_fields());
}

bool access_uses_response_fields() noexcept {
    const access_log* const access = wanted_access();
    return access != nullptr && (relay.load() != nullptr || access->format.uses_response_fields());
}

std::span<const std::string> access_environ_names() noexcept {
    const access_log* const access = wanted_access();
    if (access == nullptr) return {};
    return access->format.environ_names();
}

}  // namespace unicoro::log
