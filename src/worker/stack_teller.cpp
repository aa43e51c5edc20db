// SPDX-License-Identifier: MIT
#include "worker/stack_teller.hpp"

#include "base/exception_text.hpp"
#include "log/log.hpp"
#include "os/signals.hpp"
#include "worker/request_run.hpp"
#include "worker/serving.hpp"

#include <atomic>
#include <exception>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace unicoro::worker {

struct stack_teller::state {
    state(
        const scoreboard::stack_question& asked,
        scoreboard::stack_answer& own,
        app::host& of,
        const serving& with
    )
        : question(asked), answer(own), host(of), shared(with) {}

    [[nodiscard]] std::string look() const;

    const scoreboard::stack_question& question;
    scoreboard::stack_answer& answer;
    app::host& host;
    const serving& shared;
    std::atomic<bool> stopping = false;
};

// The answer: of each request a line "R" with its place in the ledger, when it began, the kind of its place
// and whether that runs, and the lines of its calls; "M" for more than there was room for.
std::string stack_teller::state::look() const {
    std::vector<request_run::identity> whose;
    const std::vector<app::code_seen> seen = host.look_at_code([this, &whose] {
        std::vector<std::shared_ptr<app::code_place>> places;
        const std::lock_guard alone(*shared.watched);
        for (const in_flight_hook& each : shared.in_flight) {
            const auto& request = static_cast<const request_run&>(each);
            app::running_request* const inside = request.running();
            auto place = inside != nullptr ? inside->place() : nullptr;
            if (!place) continue;
            whose.push_back(request.who());
            places.push_back(std::move(place));
        }
        return places;
    });
    constexpr std::string_view more = "M\n";
    std::string text;
    bool clipped = seen.size() < whose.size();
    for (std::size_t at = 0; at < seen.size(); ++at) {
        const app::code_seen& one = seen[at];
        std::string told = fmt::format(
            "R\t{}\t{}\t{}\t{}\n{}",
            whose[at].entry,
            whose[at].started,
            one.kind,
            one.running ? 1 : 0,
            one.calls
        );
        const bool fits = text.size() + told.size() + more.size() <= scoreboard::stack_answer::most_bytes;
        if (fits && !one.left_out) {
            text += told;
        } else {
            clipped = true;
        }
    }
    return clipped ? text.append(more) : text;
}

stack_teller::stack_teller(
    const scoreboard::table& board, std::size_t slot, app::host& host, const serving& shared
)
    : shared_(std::make_shared<state>(board.question(), board.answer(slot), host, shared)) {
    const os::signals_held_back for_its_thread;
    // Not joined: it may be waiting for an interpreter that this thread is in.
    std::thread([shared = shared_] { answer(shared); }).detach();
}

stack_teller::~stack_teller() {
    shared_->stopping = true;
    shared_->answer.is_there(false);
    shared_->question.wake();
}

void stack_teller::answer(const std::shared_ptr<state>& shared) {
    state& own = *shared;
    std::uint32_t seen = own.question.last();
    own.answer.is_there(!own.stopping);
    while (!own.stopping) {
        const std::uint32_t asked = own.question.last();
        if (asked == seen) {
            own.question.wait_for_other(seen);
            continue;
        }
        seen = asked;
        try {
            own.answer.give(asked, own.look());
        } catch (const std::exception& failure) {
            log::warning("The stacks of requests cannot be told: {}", base::exception_text(failure));
        }
    }
}

}  // namespace unicoro::worker
