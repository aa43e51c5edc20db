// SPDX-License-Identifier: MIT
#include "compress/coding.hpp"
#include "compress/encoder.hpp"
#include "settings/tables.hpp"

namespace unicoro::settings::tables {
namespace {

std::string check_coding(std::string_view entry) {
    const auto known = compress::coding_named(entry);
    if (!known) return "one of \"zstd\", \"br\" and \"gzip\"";
    if (compress::is_built_in(*known)) return {};
    return "a coding that this server was built with (" + std::string(entry) +
           " is not among them: its library was missing)";
}

bool is_token(std::string_view text) {
    constexpr std::string_view others = "!#$&-^_.+";
    for (const char each : text) {
        const bool letter = (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z');
        const bool digit = each >= '0' && each <= '9';
        if (!letter && !digit && others.find(each) == std::string_view::npos) return false;
    }
    return !text.empty();
}

std::string check_media_type(std::string_view entry) {
    const std::size_t slash = entry.find('/');
    const bool whole = slash != std::string_view::npos && is_token(entry.substr(0, slash)) &&
                       is_token(entry.substr(slash + 1));
    return whole ? "" : "a media type without parameters and *, such as \"text/html\"";
}

value_type_ptr level(compress::coding which) {
    const compress::levels range = compress::levels_of(which);
    return whole_number(range.least, range.most);
}

std::vector<setting> what() {
    return {
        {.name = "compression",
         .flags = "--compression",
         .metavar = "CODINGS",
         .type = text_list(commas::separate, "content codings (zstd, br, gzip)", check_coding),
         .kept = stored_in<&server_settings::compression, &compression_settings::compression>(),
         .help =
             "Compress the responses of applications with these codings, the favourite first, for clients "
             "that accept them; empty = none",
         .variable = variable_kind::ours},
        {.name = "compression_min_length",
         .flags = "--compression-min-length",
         .metavar = "BYTES",
         .type = byte_size(),
         .kept = stored_in<&server_settings::compression, &compression_settings::compression_min_length>(),
         .help = "Bodies known to be shorter are not compressed",
         .variable = variable_kind::ours},
        {.name = "compression_types",
         .type = text_list(commas::separate, "media types", check_media_type),
         .kept = stored_in<&server_settings::compression, &compression_settings::compression_types>(),
         .help = "What is compressed, by Content-Type; the list takes the place of the default one",
         .variable = variable_kind::ours},
        {.name = "compression_private",
         .flags = "--compression-private",
         .form = flag_form::switch_on,
         .type = boolean(),
         .kept = stored_in<&server_settings::compression, &compression_settings::compression_private>(),
         .help =
             "Also compress what may hold secrets beside text of an attacker's choice (BREACH): responses to "
             "requests with Cookie, Authorization or a client certificate, and those with Set-Cookie or "
             "Cache-Control: private or no-store",
         .variable = variable_kind::ours},
    };
}

std::vector<setting> how_well() {
    return {
        {.name = "compression_level_zstd",
         .flags = "--compression-level-zstd",
         .metavar = "N",
         .type = level(compress::coding::zstd),
         .kept = stored_in<&server_settings::compression, &compression_settings::compression_level_zstd>(),
         .help = "How hard zstd tries",
         .variable = variable_kind::ours},
        {.name = "compression_level_br",
         .flags = "--compression-level-br",
         .metavar = "N",
         .type = level(compress::coding::br),
         .kept = stored_in<&server_settings::compression, &compression_settings::compression_level_br>(),
         .help = "How hard brotli tries",
         .variable = variable_kind::ours},
        {.name = "compression_level_gzip",
         .flags = "--compression-level-gzip",
         .metavar = "N",
         .type = level(compress::coding::gzip),
         .kept = stored_in<&server_settings::compression, &compression_settings::compression_level_gzip>(),
         .help = "How hard gzip tries",
         .variable = variable_kind::ours},
    };
}

}  // namespace

part compression() {
    return join(section::compression, {what(), how_well()});
}

}  // namespace unicoro::settings::tables
