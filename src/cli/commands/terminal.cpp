// SPDX-License-Identifier: MIT
#include "cli/commands/terminal.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>

namespace unicoro::cli {
namespace {

constexpr std::string_view enter_screen = "\x1b[?1049h\x1b[?25l\x1b[2J";
constexpr std::string_view leave_screen = "\x1b[?25h\x1b[?1049l";

sigset_t read_signals() noexcept {
    sigset_t made;
    sigemptyset(&made);
    for (const int each : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH}) sigaddset(&made, each);
    return made;
}

}  // namespace

signal_reader::signal_reader() noexcept {
    const sigset_t wanted = read_signals();
    pthread_sigmask(SIG_BLOCK, &wanted, &before_);
    fd_.reset(signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
}

signal_reader::~signal_reader() {
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

int signal_reader::take() noexcept {
    signalfd_siginfo come{};
    if (read(fd_.get(), &come, sizeof come) != sizeof come) return 0;
    return static_cast<int>(come.ssi_signo);
}

void signal_reader::deliver(int number) noexcept {
    // An interpreter has handlers of its own.
    struct sigaction own{};
    own.sa_handler = SIG_DFL;
    sigaction(number, &own, nullptr);
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, number);
    raise(number);
    pthread_sigmask(SIG_UNBLOCK, &only, nullptr);
    pthread_sigmask(SIG_BLOCK, &only, nullptr);
}

full_screen::full_screen() noexcept {
    termios found{};
    if (isatty(STDIN_FILENO) == 1 && tcgetattr(STDIN_FILENO, &found) == 0) saved_ = found;
    enter();
}

full_screen::~full_screen() {
    leave();
}

void full_screen::enter() noexcept {
    if (entered_) return;
    entered_ = true;
    if (saved_) {
        termios wanted = *saved_;
        wanted.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
        wanted.c_cc[VMIN] = 0;
        wanted.c_cc[VTIME] = 0;
        tcsetattr(STDIN_FILENO, TCSADRAIN, &wanted);
    }
    [[maybe_unused]] const bool written = write_out(enter_screen);
}

void full_screen::leave() noexcept {
    if (!entered_) return;
    entered_ = false;
    [[maybe_unused]] const bool written = write_out(leave_screen);
    if (saved_) tcsetattr(STDIN_FILENO, TCSADRAIN, &*saved_);
}

window_size size_of_terminal() noexcept {
    winsize found{};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &found) != 0 || found.ws_row == 0 || found.ws_col == 0) return {};
    return {found.ws_row, found.ws_col};
}

bool write_out(std::string_view text) noexcept {
    while (!text.empty()) {
        const ssize_t written = write(STDOUT_FILENO, text.data(), text.size());
        if (written > 0) {
            text.remove_prefix(static_cast<std::size_t>(written));
        } else if (errno == EAGAIN) {
            pollfd ready{STDOUT_FILENO, POLLOUT, 0};
            if (poll(&ready, 1, 5000) <= 0) return false;
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

}  // namespace unicoro::cli
