// SPDX-License-Identifier: MIT
#include "base/exception_text.hpp"

#include <boost/system/system_error.hpp>

#include <string_view>

namespace unicoro::base {

std::string exception_text(const std::exception& error) {
    const std::string_view said = error.what();
    const auto* const of_boost = dynamic_cast<const boost::system::system_error*>(&error);
    if (of_boost == nullptr) return std::string(said);
    // "PREFIX: MESSAGE [CATEGORY:NUMBER at FILE:LINE in function ...]"
    const std::string numbers = of_boost->code().what();
    std::string text(said);
    if (said.ends_with(numbers)) text.resize(said.size() - numbers.size());
    return text + of_boost->code().message();
}

std::string exception_text(const std::exception_ptr& failure) {
    try {
        std::rethrow_exception(failure);
    } catch (const std::exception& error) {
        return exception_text(error);
    } catch (...) {
        return "an exception that is not a std::exception";
    }
}

}  // namespace unicoro::base
