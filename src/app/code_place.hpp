// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace unicoro::app {

/// Where the code of a request is (a greenlet, say), held on to: it can be looked at whatever becomes of the
/// request. Made and let go of inside of host::look_at_code only.
class code_place {
  public:
    code_place() = default;
    code_place(const code_place&) = delete;
    code_place& operator=(const code_place&) = delete;
    virtual ~code_place() = default;
};

/// What is seen there.
struct code_seen {
    std::string kind;       ///< "greenlet", "task", "thread" or "loop"
    bool running = false;   ///< it is what holds the loop's thread at the moment
    bool left_out = false;  ///< there were too many: `calls` is empty
    /// The innermost last, each a line: file, number of the line, function and text, separated by tabs.
    /// UTF-8.
    std::string calls;
};

using gather_places = std::function<std::vector<std::shared_ptr<code_place>>()>;

}  // namespace unicoro::app
