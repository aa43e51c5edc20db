// SPDX-License-Identifier: MIT
#include "settings/tables.hpp"

namespace unicoro::settings::tables {

part site_files() {
    return {
        section::files,
        {
            {.name = "static",
             .type = folder_map(),
             .kept = stored_in<&server_settings::files, &file_settings::static_folders>(),
             .help = "Files that the server answers with itself, by path prefix, such as {\"/static\": "
                     "\"site/static\"}: conditions, ranges, files that are packed already (.br, .zst, .gz); "
                     "no hidden file, and no link that leads out of the folder",
             .variable = variable_kind::ours},
            {.name = "static_internal",
             .type = folder_map(),
             .kept = stored_in<&server_settings::files, &file_settings::static_internal>(),
             .help =
                 "Folders as in static whose files only the application can have sent, by X-Accel-Redirect "
                 "or X-Sendfile, such as {\"/protected\": \"/srv/media\"}: who asks for them is answered 404",
             .variable = variable_kind::ours},
            {.name = "static_cache_control",
             .type = cache_map(),
             .kept = stored_in<&server_settings::files, &file_settings::static_cache_control>(),
             .help = "Cache-Control of those files, by a pattern of their whole path, such as "
                     "{\"/static/*\": \"max-age=3600\", \"*.html\": \"no-cache\"}: the longest pattern "
                     "counts, * stands for slashes, too",
             .variable = variable_kind::ours},
            {.name = "x_accel_redirect",
             .flags = "--x-accel-redirect",
             .form = flag_form::switch_on,
             .type = boolean(),
             .kept = stored_in<&server_settings::files, &file_settings::x_accel_redirect>(),
             .help = "An application answers with a file of static or static_internal by its URL path in the "
                     "response field X-Accel-Redirect, as under nginx; false = the field is passed on",
             .variable = variable_kind::ours},
            {.name = "x_sendfile",
             .flags = "--x-sendfile",
             .form = flag_form::switch_on,
             .type = boolean(),
             .kept = stored_in<&server_settings::files, &file_settings::x_sendfile>(),
             .help = "An application answers with a file in a folder of static or static_internal by its "
                     "absolute path in the response field X-Sendfile, as under Apache; false = the field is "
                     "passed on",
             .variable = variable_kind::ours},
        },
    };
}

}  // namespace unicoro::settings::tables
