// SPDX-License-Identifier: MIT
#include "log/open.hpp"
#include "master/supervisor.hpp"
#include "os/descriptors.hpp"
#include "os/inherited.hpp"
#include "os/passed_text.hpp"
#include "os/process.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <string_view>

namespace unicoro::master {
namespace {

using role = succession::role;

/// Said of descriptors and processes, and not true of another process or after another exec.
constexpr std::array<std::string_view, 4> of_this_exec{
    "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", succession_variable
};

/// The service manager listens to its main process.
constexpr std::array<std::string_view, 3> of_main_process{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"};

// The interpreter starts and may preload the application before the successor can give a sign of life.
constexpr std::chrono::minutes watchdog_grace{2};

}  // namespace

std::string absolute_path(const std::string& path) {
    std::error_code failed;
    const std::filesystem::path made = std::filesystem::absolute(path, failed);
    return failed ? path : made.lexically_normal().string();
}

bool supervisor::is_trial() const noexcept {
    return options_.former && options_.former->as == role::trial;
}

bool supervisor::is_successor() const noexcept {
    return options_.former && options_.former->as == role::successor;
}

// As a set of their own, which goes when the first generation here has settled: sockets that are no longer
// bound, and the files of them.
void supervisor::resume_sockets() {
    launch_set former;
    former.settings = options_.settings;
    former.directory = os::current_folder();
    for (const succession::socket& each : options_.former->sockets) {
        os::passed_socket passed{each.fd, {}};
        // In a trial the files stay the running master's.
        if (each.has_file && is_successor()) passed.path = each.asked.path;
        auto socket = os::resume_listener(passed);
        if (!socket) {
            log::warning("{}: it is opened anew", socket.error().message);
            continue;
        }
        (each.admin ? former.admin : former.listeners).push_back({each.asked, std::move(*socket)});
    }
    sets_.emplace(former.id, std::move(former));
}

void supervisor::resume_workers() {
    std::vector<core::inherited_worker> known;
    for (const succession::worker& each : options_.former->workers) {
        const std::size_t slot = known.size();
        os::withheld_fd lifeline{os::unique_fd(each.lifeline)};
        if (const auto failed = board_->open(slot, scoreboard::worker_state::ready)) {
            log::error("Worker (pid:{}) has no place here and ends: {}", each.pid, failed.message());
            continue;
        }
        board_->slot(slot).pid.store(each.pid);
        tally_->begin(slot, {0, each.pid, former_set, each.born.count()});
        workers_.push_back({each.pid, slot, former_set, std::move(lifeline), most_rings});
        known.push_back({slot, each.pid, each.born, each.leaves_by});
    }
    core_->inherit(known);
    core_->resume_strength(options_.former->configured_workers, options_.former->strength);
    if (const auto interval = notifier_.watchdog()) {
        (void)notifier_.send(fmt::format("WATCHDOG_USEC={}\n", interval->count()));
    }
}

bool supervisor::resume_pidfile() {
    const succession& former = *options_.former;
    if (former.pidfile.empty()) return false;
    const auto& wanted = options_.settings->pidfile;
    const bool same = wanted && absolute_path(*wanted) == former.pidfile;
    if (is_trial()) return same;
    auto kept = os::pidfile::resume(former.pidfile, os::unique_fd(former.pidfile_fd));
    if (!kept) {
        log::warning("{}", kept.error().message);
        return false;
    }
    (same ? pidfile_ : former_pidfile_).emplace(std::move(*kept));
    return same;
}

// The trial could start and this cannot: something has changed in between, and may change again. The former
// workers serve meanwhile. Comes back when a signal ends the wait, or nothing can be begun any more.
int supervisor::begin_again(int failed) {
    constexpr int waits = 5;  // of one second
    log::error("Upgrade: the former workers keep serving; another start follows in {} seconds", waits);
    std::optional<int> code;
    for (int done = 0; done < waits && !code; ++done) code = interrupted();
    if (code) {
        for (const succession::worker& each : options_.former->workers) {
            (void)os::send_signal(each.pid, SIGTERM);
        }
        return *code;
    }
    const auto text = os::pass_text("unicoro succession", write_succession(*options_.former));
    if (!text) return failed;
    std::vector<int> kept = options_.former->descriptors();
    kept.push_back(text->get());
    // What could not be gone on with was closed.
    std::erase_if(kept, [](int fd) { return fcntl(fd, F_GETFD) < 0; });
    log::settle();
    log::error("Upgrade: {}", os::become_program(program_with(text->get()), kept).message);
    return failed;
}

succession supervisor::succession_as(role whose) const {
    succession made;
    made.as = whose;
    made.from = getpid();
    made.activated = activated_;
    const launch_set& set = sets_.at(settled_);
    for (const bound_listener& each : set.listeners) {
        made.sockets.push_back({each.socket.fd(), each.asked, each.socket.has_file(), false});
    }
    if (pidfile_) made.pidfile = absolute_path(pidfile_->path());
    made.configured_workers = set.settings->workers;
    made.strength = core_->strength();
    if (whose == role::trial) return made;
    if (pidfile_) made.pidfile_fd = pidfile_->fd();
    for (const bound_listener& each : set.admin) {
        made.sockets.push_back({each.socket.fd(), each.asked, each.socket.has_file(), true});
    }
    made.counts = counted_so_far();
    for (const core::inherited_worker& each : core_->legacy()) {
        const auto found = std::ranges::find(workers_, each.pid, &running::pid);
        if (found == workers_.end()) continue;
        made.workers.push_back({each.pid, found->lifeline.get(), each.born, each.leaves_by});
    }
    return made;
}

// What the workers count from here on is told to nobody: their slots end with this program.
scoreboard::counted supervisor::counted_so_far() const {
    const std::optional<scoreboard::sight> seen = tally_->read();
    return seen ? seen->all : scoreboard::counted{};
}

os::program supervisor::program_with(int text) const {
    os::program made = options_.begun;
    made.forget(of_this_exec);
    made.set(succession_variable, std::to_string(text));
    return made;
}

os::outcome<void> supervisor::begin_trial() {
    const succession passed = succession_as(role::trial);
    const auto text = os::pass_text("unicoro succession", write_succession(passed));
    if (!text) return os::make_failure(text.error(), "cannot describe the running master");
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0)
        return os::make_failure(os::last_error(), "no pipe for its output");
    trial_output_ = os::unique_fd(ends[0]);
    const os::unique_fd output(ends[1]);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    os::program what = program_with(text->get());
    what.forget(of_main_process);
    std::vector<int> kept = passed.descriptors();
    kept.push_back(text->get());
    const auto begun = os::start_program(what, kept, output.get());
    if (!begun) return begun.error();
    trial_pid_ = *begun;
    return {};
}

void supervisor::perform(const action::start_trial&) {
    if (options_.begun.command.empty()) {
        return feed(event::upgrade_failed{"nobody has told how this server is started"});
    }
    companion_.upgrading();
    if (const auto begun = begin_trial(); !begun) {
        trial_output_.reset();
        return feed(event::upgrade_failed{begun.error().message});
    }
    feed(event::trial_started{trial_pid_});
}

// Whole lines, as they come.
void supervisor::hear_trial() {
    std::array<char, 16384> piece{};
    const ssize_t got = read(trial_output_.get(), piece.data(), piece.size());
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (got > 0) trial_text_.append(piece.data(), static_cast<std::size_t>(got));
    const bool over = got <= 0;
    const std::size_t end = trial_text_.rfind('\n');
    const std::size_t whole = over || trial_text_.size() > piece.size() ? trial_text_.size()
                              : end == std::string::npos                ? 0
                                                                        : end + 1;
    std::string_view said = std::string_view(trial_text_).substr(0, whole);
    while (said.ends_with('\n')) said.remove_suffix(1);
    if (!said.empty()) log::warning("Upgrade (pid:{}): {}", trial_pid_, said);
    trial_text_.erase(0, whole);
    if (over) trial_output_.reset();
}

void supervisor::end_of_trial() {
    // What it has said is all there; what a child of it may still say concerns nobody.
    pollfd left{trial_output_.get(), POLLIN, 0};
    while (trial_output_ && poll(&left, 1, 0) > 0) hear_trial();
    trial_output_.reset();
    trial_text_.clear();
    trial_pid_ = 0;
}

void supervisor::perform(const action::become_successor&) {
    const succession passed = succession_as(role::successor);
    const auto text = os::pass_text("unicoro succession", write_succession(passed));
    if (!text) return feed(event::upgrade_failed{"cannot describe this master: " + text.error().message()});
    const auto interval = notifier_.watchdog();
    if (interval) {
        const std::chrono::microseconds longer = *interval + watchdog_grace;
        (void)notifier_.send(fmt::format("WATCHDOG_USEC={}\nWATCHDOG=1\n", longer.count()));
    }
    std::vector<int> kept = passed.descriptors();
    kept.push_back(text->get());
    log::settle();
    const os::failure failed = os::become_program(program_with(text->get()), kept);
    sets_.at(settled_).enter_directory();
    if (interval) (void)notifier_.send(fmt::format("WATCHDOG_USEC={}\n", interval->count()));
    feed(event::upgrade_failed{failed.message});
}

}  // namespace unicoro::master
