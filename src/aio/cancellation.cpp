// SPDX-License-Identifier: MIT
#include "aio/cancellation.hpp"

#include "aio/asio.hpp"

#include <unicoro/result.hpp>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

namespace unicoro::aio {

bool is_cancellation(const std::exception_ptr& failure) {
    try {
        std::rethrow_exception(failure);
    } catch (const boost::system::system_error& error) {
        return error.code() == asio::error::operation_aborted || error.code() == errc::cancelled;
    } catch (...) {
        return false;
    }
}

}  // namespace unicoro::aio
