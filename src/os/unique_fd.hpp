// SPDX-License-Identifier: MIT
#pragma once

#include "base/unique_fd.hpp"

namespace unicoro::os {

using base::unique_fd;

}  // namespace unicoro::os
