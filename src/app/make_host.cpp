// SPDX-License-Identifier: MIT
#include "app/make_host.hpp"

#include "app/app_spec.hpp"
#include "app/native_host.hpp"
#include "app/python_finder.hpp"

#include <utility>

namespace unicoro::app {

std::unique_ptr<host> make_host(const settings::server_settings& values, load_error& error) {
    app_spec spec = parse_app_spec(values.app);
    const bool native = values.interface == settings::app_interface::native ||
                        (values.interface == settings::app_interface::auto_detect &&
                         spec.language == app_language::native);
    if (native) return std::make_unique<native_host>(std::move(spec));
    return make_python_host(values, error);
}

}  // namespace unicoro::app
