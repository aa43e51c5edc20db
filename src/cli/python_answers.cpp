// SPDX-License-Identifier: MIT
#include "cli/python_answers.hpp"

#include "cli/python_settings.hpp"

#include <nlohmann/json.hpp>

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

namespace unicoro::cli {
namespace {

std::string read_all(int fd) {
    std::string text;
    std::array<char, 4096> piece{};
    for (;;) {
        const ssize_t got = read(fd, piece.data(), piece.size());
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return text;
        text.append(piece.data(), static_cast<std::size_t>(got));
    }
}

bool write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t done = write(fd, text.data(), text.size());
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(done));
    }
    return true;
}

}  // namespace

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
    os::unique_fd memory(memfd_create("unicoro settings", 0));
    if (!memory) return os::make_failure(os::last_error(), what);
    const std::string text =
        nlohmann::json(known_).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
    if (!write_all(memory.get(), text) || lseek(memory.get(), 0, SEEK_SET) != 0) {
        return os::make_failure(os::last_error(), what);
    }
    return memory;
}

void python_answers::restore(os::unique_fd from) {
    const nlohmann::json known = nlohmann::json::parse(read_all(from.get()), nullptr, false);
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
