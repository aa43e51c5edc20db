// SPDX-License-Identifier: MIT
#pragma once

#include <unicoro/awaitable.hpp>

namespace boost::asio {}

namespace unicoro {

namespace asio = boost::asio;

}  // namespace unicoro
