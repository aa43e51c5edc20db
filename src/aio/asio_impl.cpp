// SPDX-License-Identifier: MIT
// Asio and Beast are compiled once, here: every other file sees declarations only.
#include <boost/asio/impl/src.hpp>

#include <boost/beast/src.hpp>
