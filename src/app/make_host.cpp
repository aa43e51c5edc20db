// SPDX-License-Identifier: MIT
#include "app/make_host.hpp"

#include "app/app_spec.hpp"
#include "app/native_host.hpp"

namespace unicoro::app {

std::unique_ptr<host> make_host(const settings::server_settings& values, load_error&) {
    return std::make_unique<native_host>(parse_app_spec(values.app));
}

}  // namespace unicoro::app
