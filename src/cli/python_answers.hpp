// SPDX-License-Identifier: MIT
#pragma once

#include "os/failure.hpp"
#include "os/unique_fd.hpp"
#include "settings/load.hpp"

#include <map>
#include <string>

namespace unicoro::cli {

/// What settings files in Python have answered, so that the process which becomes an interpreter need not run
/// them twice: they may do more than answer.
class python_answers {
  public:
    /// From what is known, else by running the file in an interpreter of its own.
    [[nodiscard]] settings::python_answer ask(const settings::python_question& asked);

    /// A descriptor that the program which this process becomes can `restore` from.
    [[nodiscard]] os::outcome<os::unique_fd> save() const;
    /// What is not there is asked again.
    void restore(os::unique_fd from);
    /// From here on a file is run whenever it is asked.
    void forget() noexcept;

  private:
    std::map<std::string, std::string> known_;  // by the question, as JSON
    bool keeps_ = true;
};

}  // namespace unicoro::cli
