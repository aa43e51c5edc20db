// SPDX-License-Identifier: MIT
#include "monitor/metrics_text.hpp"

#include "base/text.hpp"
#include "http/request_head.hpp"
#include "monitor/families.hpp"
#include "monitor/words.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <string>
#include <vector>

namespace unicoro::monitor {
namespace {

using scoreboard::counter;
using scoreboard::happening;
using scoreboard::timing;

/// How much a media type is wanted, and whether it was named.
struct weight {
    bool named = false;
    double quality = 0;
};

double quality_of(std::string_view range) noexcept {
    for (std::size_t at = range.find(';'); at != range.npos; at = range.find(';', at + 1)) {
        std::string_view parameter = range.substr(at + 1, range.find(';', at + 1) - at - 1);
        while (parameter.starts_with(' ')) parameter.remove_prefix(1);
        if (!parameter.starts_with("q=") && !parameter.starts_with("Q=")) continue;
        double quality = 0;
        const char* const end = parameter.data() + parameter.size();
        const auto read = std::from_chars(parameter.data() + 2, end, quality);
        return read.ec == std::errc() ? std::clamp(quality, 0.0, 1.0) : 0;
    }
    return 1;
}

weight weight_of(std::string_view accept, std::string_view type) noexcept {
    weight best;
    while (!accept.empty()) {
        const std::size_t end = std::min(accept.find(','), accept.size());
        std::string_view range = accept.substr(0, end);
        accept.remove_prefix(std::min(end + 1, accept.size()));
        while (range.starts_with(' ') || range.starts_with('\t')) range.remove_prefix(1);
        std::string_view name = range.substr(0, std::min(range.find(';'), range.size()));
        while (name.ends_with(' ') || name.ends_with('\t')) name.remove_suffix(1);
        if (!http::iequals(name, type)) continue;
        best.named = true;
        best.quality = std::max(best.quality, quality_of(range));
    }
    return best;
}

std::string_view name_of_row(const scoreboard::counted& all, std::size_t row) {
    if (row == scoreboard::row_of_server) return "(server)";
    if (row == scoreboard::row_of_others) return "(other)";
    return all.rows[row - 1];
}

class writer {
  public:
    writer(const picture& of, exposition how) : of_(of), all_(of.seen.all), out_(how) {}

    std::string write(std::string_view version) {
        server(version);
        lives();
        requests();
        connections();
        workers();
        return out_.take();
    }

  private:
    void server(std::string_view version) {
        out_.info("unicoro_build", "The release that runs.", {{"version", version}});
        const double now =
            std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
        const double up = static_cast<double>(of_.now - of_.seen.started) / 1e9;
        gauge(
            "unicoro_start_time_seconds",
            "When this program was started or upgraded, in Unix time.",
            "seconds",
            now - up
        );
        gauge(
            "unicoro_generation", "Counts the settings that came into force, from 1.", {}, of_.seen.generation
        );
        gauge(
            "unicoro_stopping", "1 once the server was told to stop.", {}, std::uint64_t{of_.seen.stopping}
        );
        gauge("unicoro_workers_wanted", "How many workers shall run.", {}, of_.seen.wanted);
        out_.begin_gauge("unicoro_workers", "Workers there are, by what they are at.");
        for (const auto& [state, word] : worker_states) {
            const auto is_it = [&state](const worker_view& each) { return each.counted.state == state; };
            const auto number = static_cast<std::uint64_t>(std::ranges::count_if(of_.workers, is_it));
            out_.sample({{"state", word}}, number);
        }
    }

    void lives() {
        count("unicoro_worker_starts", "Workers started.", {}, happened(happening::worker_started));
        out_.begin_counter("unicoro_worker_ends", "Workers that have ended, by why.");
        for (const auto& [what, word] : worker_ends) out_.sample({{"reason", word}}, happened(what));
        out_.begin_counter("unicoro_reloads", "Reloads (HUP), by what became of them.");
        out_.sample({{"outcome", "completed"}}, happened(happening::reload_completed));
        out_.sample({{"outcome", "refused"}}, happened(happening::reload_refused));
        out_.sample({{"outcome", "failed"}}, happened(happening::reload_failed));
        out_.begin_counter("unicoro_upgrades", "Upgrades (USR2), by what became of them.");
        out_.sample({{"outcome", "completed"}}, happened(happening::upgrade_completed));
        out_.sample({{"outcome", "refused"}}, happened(happening::upgrade_refused));
        count(
            "unicoro_monitor_ends",
            "How often the process that tells this has ended without being told to.",
            {},
            happened(happening::monitor_ended)
        );
    }

    void requests() {
        out_.begin_counter(
            "unicoro_http_requests", "Requests answered, by where the application is mounted."
        );
        for (std::size_t row = 0; row < scoreboard::request_rows; ++row) one_row(row);
        histogram(
            "unicoro_http_request_duration_seconds",
            "From the head of a request to the end of the response.",
            timing::duration
        );
        histogram(
            "unicoro_http_request_queue_seconds",
            "How long requests have waited before the application saw them.",
            timing::queue
        );
        gauge(
            "unicoro_http_requests_in_flight", "Requests that run or wait.", {}, sum(&worker_view::running)
        );
        gauge(
            "unicoro_http_requests_queued",
            "Requests that wait for their place (max_concurrent_requests).",
            {},
            sum(&worker_view::queued)
        );
        count(
            "unicoro_http_requests_shed",
            "Requests answered 503 for want of a place.",
            {},
            word(counter::shed)
        );
        count(
            "unicoro_http_received_bytes",
            "Bytes of requests, heads and bodies.",
            "bytes",
            word(counter::bytes_received)
        );
        count(
            "unicoro_http_response_body_bytes",
            "Bytes of response bodies, and what WebSockets have sent.",
            "bytes",
            word(counter::bytes_sent)
        );
    }

    void one_row(std::size_t row) {
        const std::string_view name = name_of_row(all_, row);
        if (name.empty()) return;
        for (std::size_t place = 0; place < scoreboard::status_classes; ++place) {
            out_.sample(
                {{"application", name}, {"class", status_words[place]}},
                all_.words[scoreboard::place_of_requests(row, place)]
            );
        }
    }

    void connections() {
        count("unicoro_connections_accepted", "Connections accepted.", {}, word(counter::connections));
        std::uint64_t idle = 0;
        std::uint64_t active = 0;
        for (const worker_view& each : of_.workers) {
            const std::uint32_t busy = std::min(each.running, each.connections);
            idle += each.connections - busy;
            active += busy - std::min(busy, each.websockets);
        }
        out_.begin_gauge("unicoro_connections", "Open connections: without a request, with one, WebSockets.");
        out_.sample({{"state", "idle"}}, idle);
        out_.sample({{"state", "active"}}, active);
        out_.sample({{"state", "websocket"}}, sum(&worker_view::websockets));
        out_.begin_counter("unicoro_tls_handshakes", "TLS handshakes, by what became of them.");
        out_.sample({{"outcome", "completed"}}, word(counter::tls_handshakes));
        out_.sample({{"outcome", "failed"}}, word(counter::tls_failures));
        count(
            "unicoro_websockets_accepted", "Requests that became WebSockets.", {}, word(counter::websockets)
        );
    }

    void workers() {
        histogram(
            "unicoro_event_loop_lag_seconds",
            "How late the event loops came to their heartbeat: for so long something held them.",
            timing::loop_lag
        );
        out_.begin_counter(
            "unicoro_gil_wait_seconds",
            "What event loops have waited for Python's interpreter, which threads of the application held.",
            "seconds"
        );
        out_.sample({}, static_cast<double>(word(counter::interpreter_wait)) / 1e9);
        out_.begin_counter("unicoro_workers_cpu_seconds", "What workers have used of the CPU.", "seconds");
        out_.sample({}, of_.cpu);
        each_worker(
            "unicoro_worker_age_seconds",
            "For how long the worker has been there.",
            "seconds",
            [this](const auto& each) {
                return std::optional(static_cast<double>(of_.now - each.counted.facts.born) / 1e9);
            }
        );
        each_worker(
            "unicoro_worker_silence_seconds",
            "Since the worker's last sign of life: what holds its loop now, holds it for about so long.",
            "seconds",
            [](const auto& each) { return each.silent; }
        );
        each_worker(
            "unicoro_worker_cpu_seconds",
            "What the worker has used of the CPU since its start.",
            "seconds",
            [](const auto& each) { return each.cpu; }
        );
        each_worker(
            "unicoro_worker_memory_bytes",
            "Resident and in swap, pages that it shares in full.",
            "bytes",
            [](const auto& each) { return each.memory; }
        );
        each_worker("unicoro_worker_connections", "Open connections.", {}, [](const auto& each) {
            return std::optional(std::uint64_t{each.connections});
        });
        each_worker(
            "unicoro_worker_requests_in_flight",
            "Requests that run or wait.",
            {},
            [](const auto& each) { return std::optional(std::uint64_t{each.running}); }
        );
    }

    template <class Value>
    void gauge(std::string_view name, std::string_view help, std::string_view unit, Value value) {
        out_.begin_gauge(name, help, unit);
        out_.sample({}, value);
    }

    void count(std::string_view name, std::string_view help, std::string_view unit, std::uint64_t value) {
        out_.begin_counter(name, help, unit);
        out_.sample({}, value);
    }

    void histogram(std::string_view name, std::string_view help, timing what) {
        out_.begin_histogram(name, help, "seconds");
        const std::span<const std::uint64_t> all = all_.words;
        out_.histogram(
            all.subspan(scoreboard::place_of_bucket(what, 0), scoreboard::buckets),
            all_.words[scoreboard::place_of_sum(what)]
        );
    }

    template <class Get>
    void each_worker(std::string_view name, std::string_view help, std::string_view unit, Get get) {
        out_.begin_gauge(name, help, unit);
        for (const worker_view& each : of_.workers) {
            const auto value = get(each);
            if (value) out_.sample({{"worker", std::to_string(each.counted.slot)}}, *value);
        }
    }

    [[nodiscard]] std::uint64_t sum(std::uint32_t worker_view::* of) const {
        std::uint64_t all = 0;
        for (const worker_view& each : of_.workers) all += each.*of;
        return all;
    }
    [[nodiscard]] std::uint64_t word(counter of) const { return all_.words[scoreboard::place_of(of)]; }
    [[nodiscard]] std::uint64_t happened(happening what) const {
        return all_.happened[static_cast<std::size_t>(what)];
    }

    const picture& of_;
    const scoreboard::counted& all_;
    families out_;
};

}  // namespace

exposition wanted_exposition(std::string_view accept) noexcept {
    const weight open = weight_of(accept, "application/openmetrics-text");
    const weight plain = weight_of(accept, "text/plain");
    const bool wins = open.quality > 0 && (!plain.named || open.quality >= plain.quality);
    return wins ? exposition::openmetrics : exposition::prometheus;
}

std::string_view content_type(exposition how) noexcept {
    return how == exposition::openmetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                          : "text/plain; version=0.0.4; charset=utf-8";
}

std::string metrics_text(const picture& of, std::string_view version, exposition how) {
    return writer(of, how).write(version);
}

}  // namespace unicoro::monitor
