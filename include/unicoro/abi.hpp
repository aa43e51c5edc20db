// SPDX-License-Identifier: MIT
#pragma once

#include <boost/version.hpp>

#include <cstddef>  // defines the macros of the standard library that the tag reads
#include <string_view>

namespace unicoro {
namespace detail {

#define UNICORO_ABI_STRING_2(x) #x
#define UNICORO_ABI_STRING(x) UNICORO_ABI_STRING_2(x)

// "api 1; Boost 1_81; GCC 12; libstdc++ cxx11 1"
inline constexpr const char* abi_text =
    "api 1; Boost " BOOST_LIB_VERSION
#if defined(__clang__)
    "; Clang " UNICORO_ABI_STRING(__clang_major__)
#elif defined(__GNUC__)
    "; GCC " UNICORO_ABI_STRING(__GNUC__)
#endif
#if defined(_GLIBCXX_USE_CXX11_ABI)
    "; libstdc++ cxx11 " UNICORO_ABI_STRING(_GLIBCXX_USE_CXX11_ABI)
#elif defined(_LIBCPP_VERSION)
    "; libc++"
#endif
#if defined(BOOST_ASIO_ENABLE_HANDLER_TRACKING)
    "; handler tracking"
#endif
    ;

#undef UNICORO_ABI_STRING
#undef UNICORO_ABI_STRING_2

}  // namespace detail

/// What a library and the server must have in common to exchange C++ objects: revision of this API,
/// compiler, standard library and Boost. Baked into an application by its `application` object.
[[nodiscard]] inline constexpr const char* abi_tag() noexcept { return detail::abi_text; }

}  // namespace unicoro
