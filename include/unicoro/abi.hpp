// SPDX-License-Identifier: MIT
#pragma once

#include <boost/asio/detail/config.hpp>  // defines the macros of Asio that the tag reads
#include <boost/version.hpp>

#include <cstddef>  // defines the macros of the standard library that the tag reads
#include <string_view>

namespace unicoro {
namespace detail {

#define UNICORO_ABI_STRING_2(x) #x
#define UNICORO_ABI_STRING(x) UNICORO_ABI_STRING_2(x)

// "api 2; Boost 1_81; GCC 12; libstdc++ cxx11 1; Asio separate", and what else changes the objects that
// library and server exchange, or the code of Asio that both have.
inline constexpr const char* abi_text = "api 2; Boost " BOOST_LIB_VERSION
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
#if defined(_GLIBCXX_DEBUG)
                                                " debug"
#endif
#if defined(BOOST_ASIO_HEADER_ONLY)
                                                "; Asio header-only"
#else
                                            "; Asio separate"
#endif
#if !defined(BOOST_ASIO_NO_DEPRECATED)
                                                " with deprecated parts"
#endif
#if !defined(BOOST_ASIO_HAS_THREADS)
                                                " without threads"
#endif
#if defined(BOOST_ASIO_NO_TYPEID)
                                                " without RTTI"
#endif
#if defined(BOOST_ASIO_NO_EXCEPTIONS)
                                                " without exceptions"
#endif
#if defined(BOOST_ASIO_USE_TS_EXECUTOR_AS_DEFAULT)
                                                " with TS executors"
#endif
#if defined(BOOST_ASIO_NO_TS_EXECUTORS)
                                                " without TS executors"
#endif
#if defined(BOOST_ASIO_HAS_IO_URING_AS_DEFAULT)
                                                " on io_uring"
#elif defined(BOOST_ASIO_HAS_IO_URING)
                                            " with io_uring"
#elif !defined(BOOST_ASIO_HAS_EPOLL)
                                        " without epoll"
#endif
#if defined(BOOST_ASIO_ENABLE_BUFFER_DEBUGGING)
                                                " with buffer debugging"
#endif
#if defined(BOOST_ASIO_ENABLE_HANDLER_TRACKING)
                                                " with handler tracking"
#endif
#if defined(BOOST_ASIO_DISABLE_SMALL_BLOCK_RECYCLING)
                                                " without recycling"
#endif
    ;

#undef UNICORO_ABI_STRING
#undef UNICORO_ABI_STRING_2

}  // namespace detail

/// What a library and the server must have in common to exchange C++ objects: revision of this API,
/// compiler, standard library, Boost, and how Asio is compiled (`pkg-config --cflags unicoro`). Baked into
/// an application by its `application` object.
[[nodiscard]] inline constexpr const char* abi_tag() noexcept {
    return detail::abi_text;
}

}  // namespace unicoro
