// SPDX-License-Identifier: MIT
#pragma once

#include "os/unique_fd.hpp"

#include <unicoro/result.hpp>

namespace unicoro::os {

/// A file for this process alone, without a name, in $TMPDIR (else /tmp). Gone when it is closed.
[[nodiscard]] result<unique_fd> open_temporary_file();

}  // namespace unicoro::os
