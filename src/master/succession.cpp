// SPDX-License-Identifier: MIT
#include "master/succession.hpp"

#include "os/passed_text.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <type_traits>

namespace unicoro::master {
namespace {

constexpr std::string_view heading = "unicoro succession 1";

/// A text of words, each with its length before it, so that any byte can be in one. An entry is its key and
/// its number of words, and the words.
class writer {
  public:
    template <class... Words>
    void entry(std::string_view key, const Words&... words) {
        word(key);
        word(std::to_string(sizeof...(words)));
        (word(text_of(words)), ...);
    }
    void word(std::string_view text) {
        text_ += std::to_string(text.size());
        text_ += ':';
        text_ += text;
    }
    [[nodiscard]] std::string take() { return std::move(text_); }

  private:
    static std::string text_of(const std::string& text) { return text; }
    template <class Number>
        requires std::is_arithmetic_v<Number>
    static std::string text_of(Number number) {
        return std::to_string(number);
    }

    std::string text_;
};

template <class Number>
Number number_of(std::string_view text) {
    Number number{};
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

class reader {
  public:
    explicit reader(std::string_view text) : left_(text) {}

    [[nodiscard]] std::optional<std::string> word() {
        const std::size_t colon = left_.find(':');
        if (colon == std::string_view::npos) return std::nullopt;
        const auto length = number_of<std::size_t>(left_.substr(0, colon));
        left_.remove_prefix(colon + 1);
        if (length > left_.size()) return std::nullopt;
        std::string text(left_.substr(0, length));
        left_.remove_prefix(length);
        return text;
    }

  private:
    std::string_view left_;
};

/// The words of one entry; those that a later release may add are passed over, and those that are missing are
/// empty.
class entry {
  public:
    explicit entry(std::vector<std::string> words) : words_(std::move(words)) {}

    [[nodiscard]] std::string text() { return at_ < words_.size() ? words_[at_++] : std::string(); }
    template <class Number>
    [[nodiscard]] Number number() {
        return number_of<Number>(text());
    }

  private:
    std::vector<std::string> words_;
    std::size_t at_ = 0;
};

using kind = settings::bind_address::kind;

succession::socket read_socket(entry& from) {
    succession::socket made;
    made.fd = from.number<int>();
    made.has_file = from.number<int>() != 0;
    made.asked.type = static_cast<kind>(from.number<int>());
    made.asked.host = from.text();
    made.asked.port = from.number<std::uint16_t>();
    made.asked.path = from.text();
    made.asked.fd = from.number<int>();
    made.asked.text = from.text();
    made.admin = from.number<int>() != 0;
    return made;
}

// Changes with what the numbers stand for: those of another release are not taken over.
constexpr std::uint64_t order_of_counts = 1;

std::string write_counts(const scoreboard::counted& counts) {
    std::string text = fmt::format("{} {}", order_of_counts, counts.cpu_of_ended);
    for (const std::uint64_t each : counts.happened) text += fmt::format(" {}", each);
    for (const std::uint64_t each : counts.words) text += fmt::format(" {}", each);
    return text;
}

scoreboard::counted read_counts(entry& from) {
    scoreboard::counted made;
    const std::string text = from.text();
    std::string_view left = text;
    const auto next = [&left] {
        const std::size_t end = std::min(left.find(' '), left.size());
        const auto number = number_of<std::uint64_t>(left.substr(0, end));
        left.remove_prefix(std::min(end + 1, left.size()));
        return number;
    };
    if (next() != order_of_counts) return made;
    made.cpu_of_ended = next();
    for (std::uint64_t& each : made.happened) each = next();
    for (std::uint64_t& each : made.words) each = next();
    for (std::string& each : made.rows) each = from.text();
    return made;
}

succession::worker read_worker(entry& from) {
    succession::worker made;
    made.pid = from.number<pid_t>();
    made.lifeline = from.number<int>();
    made.born = instant(from.number<instant::rep>());
    if (const auto leaves_by = from.number<instant::rep>(); leaves_by != 0) {
        made.leaves_by = instant(leaves_by);
    }
    return made;
}

void read_entry(const std::string& key, entry from, succession& into) {
    if (key == "master") {
        into.as = static_cast<succession::role>(from.number<int>());
        into.from = from.number<pid_t>();
        into.activated = from.number<int>() != 0;
        into.configured_workers = from.number<int>();
        into.strength = from.number<int>();
    } else if (key == "pidfile") {
        into.pidfile = from.text();
        into.pidfile_fd = from.number<int>();
    } else if (key == "socket") {
        into.sockets.push_back(read_socket(from));
    } else if (key == "counted") {
        into.counts = read_counts(from);
    } else if (key == "worker") {
        into.workers.push_back(read_worker(from));
    }
}

}  // namespace

std::vector<int> succession::descriptors() const {
    std::vector<int> numbers;
    numbers.reserve(sockets.size() + workers.size() + 1);
    for (const socket& each : sockets) numbers.push_back(each.fd);
    for (const worker& each : workers) numbers.push_back(each.lifeline);
    if (pidfile_fd >= 0) numbers.push_back(pidfile_fd);
    return numbers;
}

std::string write_succession(const succession& what) {
    writer to;
    to.word(heading);
    to.entry(
        "master",
        static_cast<int>(what.as),
        what.from,
        static_cast<int>(what.activated),
        what.configured_workers,
        what.strength
    );
    if (!what.pidfile.empty()) to.entry("pidfile", what.pidfile, what.pidfile_fd);
    for (const auto& each : what.sockets) {
        const settings::bind_address& asked = each.asked;
        to.entry(
            "socket",
            each.fd,
            static_cast<int>(each.has_file),
            static_cast<int>(asked.type),
            asked.host,
            asked.port,
            asked.path,
            asked.fd,
            asked.text,
            static_cast<int>(each.admin)
        );
    }
    for (const auto& each : what.workers) {
        to.entry(
            "worker",
            each.pid,
            each.lifeline,
            each.born.count(),
            each.leaves_by ? each.leaves_by->count() : instant::rep{0}
        );
    }
    if (what.as == succession::role::successor) {
        to.word("counted");
        to.word(std::to_string(1 + what.counts.rows.size()));
        to.word(write_counts(what.counts));
        for (const std::string& each : what.counts.rows) to.word(each);
    }
    return to.take();
}

std::optional<succession> read_succession(std::string_view text) {
    reader from(text);
    if (from.word() != heading) return std::nullopt;
    succession made;
    while (const auto key = from.word()) {
        const auto count = from.word();
        std::vector<std::string> words;
        for (auto left = number_of<int>(count.value_or("0")); left > 0; --left) {
            auto word = from.word();
            if (!word) return std::nullopt;
            words.push_back(std::move(*word));
        }
        read_entry(*key, entry(std::move(words)), made);
    }
    return made;
}

os::outcome<std::optional<succession>> take_succession() {
    const std::string variable(succession_variable);
    const char* const number = std::getenv(variable.c_str());
    if (number == nullptr) return std::optional<succession>();
    const int fd = number_of<int>(number);
    unsetenv(variable.c_str());
    if (fd <= STDERR_FILENO) return std::optional<succession>();
    const os::unique_fd memory(fd);
    auto made = read_succession(os::read_text(memory.get()));
    if (!made) {
        return os::failure{
            os::system_error(EPROTO),
            "the running master cannot be taken over by this release (" + variable + "): restart the server"
        };
    }
    const pid_t sender = made->as == succession::role::trial ? getppid() : getpid();
    if (made->from != sender) return std::optional<succession>();
    for (const int each : made->descriptors()) fcntl(each, F_SETFD, FD_CLOEXEC);
    return made;
}

}  // namespace unicoro::master
