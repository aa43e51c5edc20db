// SPDX-License-Identifier: MIT
#include "cli/python_answers.hpp"

#include "cli/python_settings.hpp"
#include "os/passed_text.hpp"

#include <nlohmann/json.hpp>

#include <fcntl.h>

#include <utility>

namespace unicoro::cli {
settings::python_answer python_answers::ask(const settings::python_question& asked) {
    if (!keeps_) return run_python_file(asked);
    std::string question = question_of(asked);
    if (const auto known = known_.find(question); known != known_.end()) return {known->second, {}};
    settings::python_answer answer = run_python_file(asked);
    if (answer.problem.empty()) known_.emplace(std::move(question), answer.text);
    return answer;
}

os::outcome<os::unique_fd> python_answers::save() const {
    const char* const what = "cannot keep what a settings file has answered";
    const std::string text =
        nlohmann::json(known_).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
    auto memory = os::pass_text("unicoro settings", text);
    if (!memory) return os::make_failure(memory.error(), what);
    if (fcntl(memory->get(), F_SETFD, 0) != 0) return os::make_failure(os::last_error(), what);
    return std::move(*memory);
}

void python_answers::restore(os::unique_fd from) {
    const nlohmann::json known = nlohmann::json::parse(os::read_text(from.get()), nullptr, false);
    if (!known.is_object()) return;
    for (const auto& [question, answer] : known.items()) {
        if (answer.is_string()) known_.emplace(question, answer.get_ref<const std::string&>());
    }
}

void python_answers::forget() noexcept {
    known_.clear();
    keeps_ = false;
}

}  // namespace unicoro::cli
