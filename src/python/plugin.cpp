// SPDX-License-Identifier: MIT
#include "python/python_host.hpp"

#include <unicoro/abi.hpp>

#include <memory>

namespace {

std::unique_ptr<unicoro::app::host> make_host(const unicoro::settings::server_settings& settings) {
    return std::make_unique<unicoro::python::python_host>(settings.python);
}

}  // namespace

extern "C" const unicoro::app::plugin_entry unicoro_plugin;
const unicoro::app::plugin_entry unicoro_plugin{unicoro::abi_tag(), &make_host};
