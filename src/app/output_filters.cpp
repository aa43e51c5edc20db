// SPDX-License-Identifier: MIT
#include "app/output_filters.hpp"

#include "app/filtered_exchange.hpp"

namespace unicoro::app {

output_filters::output_filters(const settings::server_settings& values, const site_files& files)
    : values_(values), files_(files) {}

std::unique_ptr<filtered_exchange> output_filters::around(exchange& request) const {
    if (!values_.files.x_accel_redirect && !values_.files.x_sendfile && !compresses()) return nullptr;
    return std::make_unique<filtered_exchange>(request, *this);
}

}  // namespace unicoro::app
