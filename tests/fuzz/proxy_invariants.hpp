// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace unicoro::test {

/// What must hold of the PROXY protocol, whatever a peer sends; empty when it does.
[[nodiscard]] std::string broken_proxy_invariant(std::string_view input);

}  // namespace unicoro::test
