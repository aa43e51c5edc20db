// SPDX-License-Identifier: MIT
#pragma once

#include <unicoro/result.hpp>

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>

namespace unicoro::os {

/// The path this program was executed by: absolute, with the links that are in it. Before any change of
/// the folder.
[[nodiscard]] std::string executed_path();

/// A child that ended, with the status as wait(2) gives it, and what it and those of its children that it
/// waited for have used of the CPU.
struct ended_child {
    pid_t pid = 0;
    int status = 0;
    std::chrono::microseconds cpu{0};
};

/// What else of this process must know of the server's own forks (an interpreter): called around each, on
/// the thread that forks.
struct fork_hooks {
    void (*before)() noexcept;
    void (*in_parent)() noexcept;  ///< also when there is no child
    void (*in_child)() noexcept;
};

/// For the rest of the process and those that are forked from it.
void watch_own_forks(const fork_hooks& hooks) noexcept;

/// fork(2) with the output buffers of stdio flushed first, so that nothing is written twice. The child
/// keeps all that is withheld from children of the application (os/forks.hpp). 0 in the child.
[[nodiscard]] result<pid_t> fork_process() noexcept;

/// From now on orphans among what descends from this process become its children.
[[nodiscard]] error_code adopt_orphans() noexcept;

/// As `fork_process`, but the new process is no child of this one: it is an orphan at once, and becomes a
/// child of the nearest process above that has called `adopt_orphans`.
[[nodiscard]] result<pid_t> fork_orphan() noexcept;

/// Collects one ended child of this process, any of them; nothing when none has ended.
[[nodiscard]] std::optional<ended_child> reap_child() noexcept;

/// This process gets SIGTERM when its parent ends. False when that is another one than it was forked by.
[[nodiscard]] bool end_with_parent(pid_t forked_by) noexcept;

/// False also of one that was collected.
[[nodiscard]] bool is_child(pid_t pid) noexcept;

/// ESRCH when the process is gone.
[[nodiscard]] error_code send_signal(pid_t pid, int signal) noexcept;

/// Lets malloc of this process keep what is freed at the end of its heaps, up to some megabytes, and take
/// blocks of up to half of that from there. Bodies of a megabyte cost more in page faults than in all else
/// when each gives its memory back. What the user has said of it in the environment goes before.
void keep_freed_memory() noexcept;

/// Flushes stdio and ends the process without destructors or exit handlers: after a fork they belong
/// to the parent.
[[noreturn]] void end_process(int code) noexcept;

}  // namespace unicoro::os
