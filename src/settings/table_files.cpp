// SPDX-License-Identifier: MIT
#include "settings/tables.hpp"

namespace unicoro::settings::tables {

part site_files() {
    return {
        section::files,
        {
            {.name = "static",
             .type = folder_map(),
             .kept = stored_in<&server_settings::static_folders>(),
             .help = "Files that the server answers with itself, by path prefix, such as {\"/static\": "
                     "\"site/static\"}: conditions, ranges, files that are packed already (.br, .zst, .gz); "
                     "no hidden file, and no link that leads out of the folder",
             .variable = variable_kind::ours},
            {.name = "static_cache_control",
             .type = cache_map(),
             .kept = stored_in<&server_settings::static_cache_control>(),
             .help = "Cache-Control of those files, by a pattern of their whole path, such as "
                     "{\"/static/*\": \"max-age=3600\", \"*.html\": \"no-cache\"}: the longest pattern "
                     "counts, * stands for slashes, too",
             .variable = variable_kind::ours},
        },
    };
}

}  // namespace unicoro::settings::tables
