// SPDX-License-Identifier: MIT
#include "cli/commands/top.hpp"

#include "cli/commands/look.hpp"
#include "cli/commands/terminal.hpp"
#include "cli/commands/top_frame.hpp"
#include "cli/options.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace unicoro::cli {
namespace {

using clock = std::chrono::steady_clock;

class viewer {
  public:
    viewer(const command_call& call, const std::string& program, found_server server)
        : call_(call), program_(program), server_(std::move(server)) {
        manner_.sort = call.sort;
    }

    attempt<int> run() {
        // What is wrong from the start is told where everything else is.
        if (auto failed = take_look({})) return *failed;
        if (isatty(STDOUT_FILENO) == 1) screen_.emplace();
        watched_.push_back(signals_.fd());
        if (screen_ && screen_->has_keys()) watched_.push_back(STDIN_FILENO);
        std::size_t looks = 1;
        bool goes_on = show();
        while (goes_on && looks != call_.count) {
            next_ = clock::now() + call_.interval;
            goes_on = wait();
            if (!goes_on) break;
            const auto failed = take_look(watched_);
            if (failed && failed->interrupted) continue;
            if (failed && !screen_) return *failed;
            ++looks;
            goes_on = show();
        }
        return exit_ok;
    }

  private:
    std::optional<trouble> take_look(std::span<const int> interrupted_by) {
        auto failed = ask(interrupted_by);
        if (failed && !failed->interrupted) {
            manner_.problem = "trying again: " + failed->text;
            // An upgrade or a restart may have taken it elsewhere.
            if (now_ && !call_.admin) {
                if (auto found = find_server(call_, program_); found && found->admin)
                    server_ = std::move(*found);
            }
        } else if (!failed) {
            manner_.problem.clear();
        }
        return failed;
    }

    std::optional<trouble> ask(std::span<const int> interrupted_by) {
        const auto status = look(server_, "/status", interrupted_by);
        if (!status) return status.error();
        const auto requests = look(server_, "/requests", interrupted_by);
        if (!requests) return requests.error();
        auto server = read_status(*status);
        if (!server) return server.error();
        auto listed = read_requests(*requests);
        if (!listed) return listed.error();
        before_ = std::exchange(now_, top_look{clock::now(), std::move(*server), std::move(*listed)});
        return std::nullopt;
    }

    bool show() {
        const top_look* const before = before_ ? &*before_ : nullptr;
        if (!screen_) return write_out(top_line(before, *now_) + "\n");
        std::string text = "\x1b[H";
        bool first = true;
        for (const std::string& line : top_frame(before, *now_, manner_, size_of_terminal())) {
            if (!std::exchange(first, false)) text += '\n';
            text += line + "\x1b[K";
        }
        return write_out(text + "\x1b[J");
    }

    /// Until the next look; false = the end.
    bool wait() {
        for (;;) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(next_ - clock::now());
            std::vector<pollfd> ready;
            ready.reserve(watched_.size() + 1);
            for (const int each : watched_) ready.push_back({each, POLLIN, 0});
            // A reader that has gone is seen at once.
            if (!screen_) ready.push_back({STDOUT_FILENO, 0, 0});
            const int count =
                poll(ready.data(), ready.size(), static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
            if (count == 0) return true;
            if (count < 0) continue;
            if (!screen_ && (ready.back().revents & POLLERR) != 0) return false;
            if (!take_signals()) return false;
            if (watched_.size() > 1 && ready[1].revents != 0 && !take_keys()) return false;
            if (screen_ && !show()) return false;
        }
    }

    bool take_signals() {
        while (const int number = signals_.take()) {
            if (number == SIGWINCH) continue;
            if (screen_) screen_->leave();
            signals_.deliver(number);
            // Only a stop comes back.
            if (screen_) screen_->enter();
        }
        return true;
    }

    bool take_keys() {
        std::array<char, 64> typed{};
        const ssize_t count = read(STDIN_FILENO, typed.data(), typed.size());
        if (count <= 0) return false;
        constexpr std::array<std::pair<char, std::string_view>, 5> orders{{
            {'w', "worker"},
            {'c', "cpu"},
            {'m', "memory"},
            {'r', "requests"},
            {'s', "silent"},
        }};
        for (const char key : std::string_view(typed.data(), static_cast<std::size_t>(count))) {
            if (key == 'q' || key == 'Q') return false;
            if (key == 'h' || key == '?') manner_.help = !manner_.help;
            const auto found = std::ranges::find(orders, key, &std::pair<char, std::string_view>::first);
            if (found != orders.end()) manner_.sort = found->second;
        }
        return true;
    }

    const command_call& call_;
    const std::string& program_;
    found_server server_;
    signal_reader signals_;
    std::optional<full_screen> screen_;
    std::vector<int> watched_;
    std::optional<top_look> before_;
    std::optional<top_look> now_;
    top_manner manner_;
    clock::time_point next_;
};

}  // namespace

attempt<int> run_top(const command_call& call, const std::string& program) {
    auto server = find_server(call, program);
    if (!server) return server.error();
    return viewer(call, program, std::move(*server)).run();
}

}  // namespace unicoro::cli
