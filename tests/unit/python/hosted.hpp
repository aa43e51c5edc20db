// SPDX-License-Identifier: MIT
#pragma once

#include "app/host.hpp"
#include "unit/python/fake_exchange.hpp"

#include <boost/asio/io_context.hpp>

#include <string>
#include <vector>

namespace unicoro::testing {

/// The event loop and the settings of the one host there can be in this process. It serves
/// unit_apps.py: the first segment of a path names the application.
boost::asio::io_context& loop();
settings::server_settings& values();
app::host& the_host();

/// Serves the requests at once, in this order, until all are done.
void serve(std::initializer_list<fake_exchange*> requests);
void serve(fake_exchange& request);

/// repr() of a Python expression in unit_apps.py.
std::string python(const std::string& expression);

/// What was written to the error log since the last call.
std::string take_log();

}  // namespace unicoro::testing
