// SPDX-License-Identifier: MIT
#include "python/runtime/text.hpp"

namespace unicoro::python {

py_ref latin1(std::string_view bytes) noexcept {
    return py_ref::steal(PyUnicode_DecodeLatin1(bytes.data(), static_cast<Py_ssize_t>(bytes.size()), nullptr)
    );
}

py_ref utf8(std::string_view bytes) noexcept {
    return py_ref::steal(PyUnicode_DecodeUTF8(bytes.data(), static_cast<Py_ssize_t>(bytes.size()), "replace")
    );
}

py_ref bytes_of(std::string_view bytes) noexcept {
    return py_ref::steal(PyBytes_FromStringAndSize(bytes.data(), static_cast<Py_ssize_t>(bytes.size())));
}

}  // namespace unicoro::python
