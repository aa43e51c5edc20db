// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

namespace unicoro::os {

/// A place in the code of this process, for people.
struct code_place {
    std::string function;       ///< demangled; empty when the file has no name for it
    std::string file;           ///< the program or library
    std::uintptr_t offset = 0;  ///< in it, as addr2line(1) takes it
    bool of_program = false;
};

/// What an address lies in. Names come from the file's own table of symbols, so that a function is named
/// also where it is not exported; that reads the file.
[[nodiscard]] code_place find_code(std::uintptr_t address);

}  // namespace unicoro::os
