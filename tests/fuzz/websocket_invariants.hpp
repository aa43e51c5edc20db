// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace unicoro::test {

/// Decodes what a client sends, at once and in pieces, plain and with permessage-deflate. Returns what is
/// wrong, empty when all is as it must be: the same events for any split, no message above its limit, text
/// that is UTF-8, codes that a server may close with.
std::string broken_websocket_invariant(std::string_view wire);

}  // namespace unicoro::test
