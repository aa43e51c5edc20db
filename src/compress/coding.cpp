// SPDX-License-Identifier: MIT
#include "compress/coding.hpp"

#include "compress/built_in.hpp"

namespace unicoro::compress {

std::string_view name_of(coding which) noexcept {
    switch (which) {
        case coding::zstd: return "zstd";
        case coding::br: return "br";
        case coding::gzip: return "gzip";
    }
    return {};
}

std::optional<coding> coding_named(std::string_view name) noexcept {
    for (const coding each : codings) {
        if (name == name_of(each)) return each;
    }
    return std::nullopt;
}

bool is_built_in(coding which) noexcept {
    switch (which) {
        case coding::zstd: return has_zstd;
        case coding::br: return has_brotli;
        case coding::gzip: return has_gzip;
    }
    return false;
}

}  // namespace unicoro::compress
