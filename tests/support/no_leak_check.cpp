// SPDX-License-Identifier: MIT
// For a test that embeds Python: an interpreter never frees everything at its end.
#ifdef __SANITIZE_ADDRESS__
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() {
    return "detect_leaks=0";
}
#endif
