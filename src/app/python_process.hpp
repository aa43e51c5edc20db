// SPDX-License-Identifier: MIT
#pragma once

#include "app/master_guest.hpp"
#include "settings/load.hpp"

#include <memory>
#include <string>

namespace unicoro::app {

/// The Python that this process is. The module `_unicoro` of that Python brings it to the floors below,
/// which know no more of Python than this; a process that is none has none. Lives as long as the process.
class python_process {
  public:
    python_process() = default;
    python_process(const python_process&) = delete;
    python_process& operator=(const python_process&) = delete;
    virtual ~python_process() = default;

    /// sys.executable.
    [[nodiscard]] virtual const std::string& executable() const noexcept = 0;
    /// "3.11.2"
    [[nodiscard]] virtual const std::string& release() const noexcept = 0;

    /// Puts a python_question, as JSON, to the program that embeds the server. From the second one on that is
    /// for its settings, the program first loads them anew.
    [[nodiscard]] virtual settings::python_answer ask(const std::string& question) = 0;

    /// What of the applications' side lives in the master. The only one of the process.
    [[nodiscard]] virtual std::unique_ptr<master_guest> make_guest(const settings::server_settings& values
    ) = 0;

    /// In a worker whose life is over: true when the interpreter is to end as at the end of any program, by
    /// this code, for which the caller returns; false when the process must end at once.
    [[nodiscard]] virtual bool ends_worker(int code) noexcept = 0;
};

}  // namespace unicoro::app
