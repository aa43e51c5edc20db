// SPDX-License-Identifier: MIT
#pragma once

#include "tls/material.hpp"

namespace unicoro::tls {

/// A certificate for localhost that nobody has signed, valid from `begin` to `end`, in seconds from now.
[[nodiscard]] pem_pair make_pair(long begin = -10, long end = 1000);

/// Of a server that has that one.
[[nodiscard]] material make_material();

}  // namespace unicoro::tls
