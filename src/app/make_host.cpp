// SPDX-License-Identifier: MIT
#include "app/make_host.hpp"

#include "app/app_spec.hpp"
#include "app/mounted_host.hpp"
#include "app/native_host.hpp"
#include "app/python_finder.hpp"

#include <utility>
#include <vector>

namespace unicoro::app {

namespace {

std::unique_ptr<host> make_mounted(const settings::server_settings& values, load_error& error) {
    auto whole = std::make_unique<mounted_host>(values);
    std::vector<std::size_t> python;
    for (std::size_t place = 0; place < values.apps.size(); ++place) {
        app_spec spec = parse_app_spec(values.apps[place].second);
        if (spec.language == app_language::python) {
            python.push_back(place);
        } else {
            whole->add(std::make_unique<native_host>(std::move(spec)), {place});
        }
    }
    if (python.empty()) return whole;
    std::unique_ptr<host> interpreter = make_python_host(values, error);
    if (!interpreter) return nullptr;
    whole->add_driver(std::move(interpreter), python);
    return whole;
}

}  // namespace

std::unique_ptr<host> make_host(const settings::server_settings& values, load_error& error) {
    if (!values.apps.empty()) return make_mounted(values, error);
    app_spec spec = parse_app_spec(values.app);
    const bool native = values.interface == settings::app_interface::native ||
                        (values.interface == settings::app_interface::auto_detect &&
                         spec.language == app_language::native);
    if (native) return std::make_unique<native_host>(std::move(spec));
    return make_python_host(values, error);
}

}  // namespace unicoro::app
