// SPDX-License-Identifier: MIT
#pragma once

#include <unicoro/result.hpp>

#include <cerrno>
#include <string>
#include <utility>

namespace unicoro::os {

/// Why an operation on something with a name (an address, a path, a user) failed. The message names it
/// and is fit for the operator as it stands; the code lets callers tell causes apart.
struct failure {
    error_code code;
    std::string message;
};

/// A value, or a failure whose message is complete.
template <class T>
using outcome = boost::system::result<T, failure>;

/// errno as an error_code; call it before anything else can change errno.
[[nodiscard]] inline error_code last_error() noexcept {
    return {errno, boost::system::system_category()};
}

/// errno made from a constant (`ENOENT`, ...).
[[nodiscard]] inline error_code system_error(int number) noexcept {
    return {number, boost::system::system_category()};
}

/// "`what`: text of the code".
[[nodiscard]] inline failure make_failure(error_code code, std::string what) {
    what += ": ";
    what += code.message();
    return {code, std::move(what)};
}

}  // namespace unicoro::os
