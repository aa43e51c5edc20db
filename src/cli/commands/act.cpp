// SPDX-License-Identifier: MIT
#include "cli/commands/act.hpp"

#include "base/text.hpp"
#include "base/unique_fd.hpp"
#include "cli/commands/look.hpp"
#include "cli/commands/processes.hpp"
#include "cli/commands/text_table.hpp"
#include "cli/commands/views.hpp"
#include "cli/options.hpp"
#include "os/failure.hpp"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>

namespace unicoro::cli {
namespace {

using clock = std::chrono::steady_clock;

// The master's counts are as old as a second.
constexpr int pause_between_ms = 100;

/// How often something has come out which way.
struct outcomes {
    double completed = 0;
    double refused = 0;
    double failed = 0;
};

class actor {
  public:
    actor(const command_call& call, found_server server, std::ostream& out)
        : call_(call), server_(std::move(server)), out_(out), end_(clock::now() + call.timeout) {}

    attempt<int> run() {
        // By its number: the C library declares the function amiss on some systems, and has none on others.
        process_.reset(static_cast<int>(syscall(SYS_pidfd_open, *server_.master, 0)));
        if (!process_ && errno != ESRCH) {
            return trouble{
                exit_not_reached, "cannot take hold of " + whose() + ": " + os::last_error().message()
            };
        }
        // Looked at again now that its number cannot become another's.
        if (!process_ || !is_master(*server_.master)) {
            return trouble{exit_not_reached, whose() + " has ended"};
        }
        const std::string_view name = call_.which->name;
        if (name == "stop") return stop();
        if (name == "reload") return change(SIGHUP, "unicoro_reloads_total", "reload");
        if (name == "upgrade") return change(SIGUSR2, "unicoro_upgrades_total", "upgrade");
        return call_.argument == "+1" ? one_more() : one_fewer();
    }

  private:
    std::string whose() const { return "the server with pid " + std::to_string(*server_.master); }

    int tell(const std::string& text, int code = exit_ok) {
        out_ << text << '\n';
        return code;
    }

    std::optional<trouble> signal(int number) {
        if (syscall(SYS_pidfd_send_signal, process_.get(), number, nullptr, 0) == 0) return std::nullopt;
        const std::string why = os::last_error().message();
        return trouble{
            exit_not_reached, "cannot tell " + whose() + ": " + why + "; run this as the user of its master"
        };
    }

    /// False when the server has ended meanwhile.
    bool pause(int milliseconds) {
        pollfd ended{process_.get(), POLLIN, 0};
        return poll(&ended, 1, milliseconds) <= 0;
    }

    bool has_time() const { return clock::now() < end_; }

    trouble late(const std::string& what) const {
        return {
            exit_not_so,
            what + " is not done within " + shown_time(std::chrono::duration<double>(call_.timeout).count()) +
                "; it goes on, and the error log tells of its end"
        };
    }

    trouble ended() const { return {exit_not_so, whose() + " has ended; its error log says why"}; }

    attempt<int> stop() {
        if (auto failed = signal(SIGTERM)) return *failed;
        if (!call_.waits) return tell(whose() + " was told to stop");
        while (has_time()) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(end_ - clock::now());
            if (!pause(static_cast<int>(std::max<std::int64_t>(left.count(), 0)))) {
                return tell(whose() + " has stopped");
            }
        }
        return late("the stop");
    }

    /// Also of a monitor that has moved with new settings.
    attempt<std::string> look_again(std::string_view path) {
        auto seen = look(server_, path);
        if (seen) return seen;
        const auto sockets = admin_sockets(*server_.master);
        if (!sockets) return sockets.error();
        server_.admin = sockets->front();
        return look(server_, path);
    }

    attempt<outcomes> counts_of(const std::string& name) {
        const auto metrics = look_again("/metrics");
        if (!metrics) return metrics.error();
        const auto count = [&](const char* outcome) {
            return sample_of(*metrics, name + "{outcome=\"" + outcome + "\"}").value_or(0);
        };
        return outcomes{count("completed"), count("refused"), count("failed")};
    }

    /// A reload or an upgrade, whose outcome the server counts.
    attempt<int> change(int number, const std::string& counter, const std::string& what) {
        std::optional<outcomes> before;
        std::string unseen;
        if (call_.waits) {
            if (const auto counts = counts_of(counter)) {
                before = *counts;
            } else {
                unseen = counts.error().text;
            }
        }
        if (auto failed = signal(number)) return *failed;
        if (!call_.waits) return tell(whose() + " was told to " + what);
        if (!before) {
            return tell(
                whose() + " was told to " + what + "; its error log tells the outcome (" + unseen + ")"
            );
        }
        while (has_time()) {
            if (!pause(pause_between_ms)) return ended();
            const auto now = counts_of(counter);
            if (!now) continue;
            if (now->completed > before->completed) return tell("the " + what + " is complete");
            const bool refused = now->refused > before->refused;
            if (!refused && now->failed <= before->failed) continue;
            return trouble{
                exit_not_so,
                "the " + what + (refused ? " was refused" : " has failed") +
                    ", and the server goes on as it was; its error log says why"
            };
        }
        return late("the " + what);
    }

    attempt<server_view> status() {
        const auto seen = look_again("/status");
        if (!seen) return seen.error();
        return read_status(*seen);
    }

    attempt<int> one_more() {
        return workers(SIGTTIN, "one worker more", [](const server_view& before, const server_view& now) {
            return now.wanted > before.wanted && now.serving >= now.wanted;
        });
    }

    attempt<int> one_fewer() {
        if (call_.waits && server_.admin) {
            const auto before = status();
            if (before && before->wanted <= 1) {
                return trouble{
                    exit_not_so, "there is one worker, and it stays; unicoro stop ends the server"
                };
            }
        }
        return workers(SIGTTOU, "one worker fewer", [](const server_view& before, const server_view& now) {
            return now.wanted < before.wanted && std::cmp_less_equal(now.workers.size(), now.wanted);
        });
    }

    attempt<int> workers(
        int number,
        const std::string& what,
        const std::function<bool(const server_view& before, const server_view& now)>& is_done
    ) {
        std::optional<server_view> before;
        std::string unseen;
        if (call_.waits) {
            if (auto seen = status()) {
                before = std::move(*seen);
            } else {
                unseen = seen.error().text;
            }
        }
        if (auto failed = signal(number)) return *failed;
        if (!call_.waits) return tell(whose() + " was told: " + what);
        if (!before)
            return tell(
                whose() + " was told: " + what + "; its error log tells the outcome (" + unseen + ")"
            );
        while (has_time()) {
            if (!pause(pause_between_ms)) return ended();
            const auto now = status();
            if (now && is_done(*before, *now)) return tell(what + ": " + std::to_string(now->wanted));
        }
        return late(what);
    }

    const command_call& call_;
    found_server server_;
    std::ostream& out_;
    clock::time_point end_;
    base::unique_fd process_;
};

}  // namespace

std::optional<double> sample_of(std::string_view metrics, std::string_view name) {
    while (!metrics.empty()) {
        const auto end = std::min(metrics.find('\n'), metrics.size());
        const std::string_view line = metrics.substr(0, end);
        metrics.remove_prefix(std::min(end + 1, metrics.size()));
        if (!line.starts_with(name) || line.size() <= name.size() || line[name.size()] != ' ') continue;
        return base::parse_decimal(line.substr(name.size() + 1));
    }
    return std::nullopt;
}

attempt<int> run_act(const command_call& call, const std::string& program, std::ostream& out) {
    auto server = find_server(call, program);
    if (!server) return server.error();
    return actor(call, std::move(*server), out).run();
}

}  // namespace unicoro::cli
