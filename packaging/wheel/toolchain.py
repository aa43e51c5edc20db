# SPDX-License-Identifier: MIT
"""What Meson cross compiles with: zig's compiler for one target, and the headers of the libraries that
are compiled in. The system's own headers stay out of sight, except those libraries'."""

import os
import pathlib
import re
import shlex
import subprocess

import ziglang

from targets import Target

ZIG_ROOT = pathlib.Path(ziglang.__file__).resolve().parent
ZIG = ZIG_ROOT / "zig"

# Of what zig compiles itself: the C library's stubs and start-up files.
CACHE = pathlib.Path(__file__).resolve().parents[2] / "build-wheel" / "zig-cache"

INCLUDE = pathlib.Path("/usr/include")

# What a header-only build of each needs to be told.
LIBRARIES = {
    "CLI11": ("CLI/Version.hpp", "CLI11_VERSION", ""),
    "fmt": ("fmt/core.h", "FMT_VERSION", "-DFMT_HEADER_ONLY"),
    "nlohmann_json": ("nlohmann/detail/abi_macros.hpp", "NLOHMANN_JSON_VERSION", ""),
    # It asks for stat64, which musl shows only on demand.
    "spdlog": (
        "spdlog/version.h",
        "SPDLOG_VER",
        "-DSPDLOG_FMT_EXTERNAL -DSPDLOG_HEADER_ONLY -DFMT_HEADER_ONLY -D_LARGEFILE64_SOURCE",
    ),
}
FOLDERS = ("boost", "CLI", "fmt", "nlohmann", "spdlog")

# zig asks for its libc++ to be hidden and gives one to each binary. Here all of a wheel use the one in
# libunicoro, so that what one throws the other can catch.
CXX_ARGS = [
    "-U_LIBCPP_DISABLE_VISIBILITY_ANNOTATIONS",
    "-U_LIBCXXABI_DISABLE_VISIBILITY_ANNOTATIONS",
    "-fomit-frame-pointer",
]


def version_of(header: str, macro: str) -> str:
    """A version out of a header: "1.2.3" or 10203, or three macros that end in MAJOR, MINOR and PATCH."""
    text = (INCLUDE / header).read_text()
    one = re.search(rf'define {macro}\s+"?([\d.]+)"?\s', text)
    if one and "." in one[1]:
        return one[1]
    if one:
        number = int(one[1])
        return f"{number // 10000}.{number // 100 % 100}.{number % 100}"
    parts = (re.search(rf"define {macro}_{part}\s+(\d+)", text) for part in ("MAJOR", "MINOR", "PATCH"))
    return ".".join(part[1] for part in parts if part)


def stage_libraries(folder: pathlib.Path) -> None:
    """Links the libraries' headers into `folder`/include, with pkg-config files beside them."""
    include = folder / "include"
    include.mkdir(parents=True, exist_ok=True)
    for name in FOLDERS:
        link = include / name
        if not link.is_symlink():
            link.symlink_to(INCLUDE / name)
    # Meson finds no Boost where there is no library of it.
    (folder / "lib").mkdir(exist_ok=True)
    (folder / "lib" / "libboost_headers.a").touch()
    configs = folder / "pkgconfig"
    configs.mkdir(exist_ok=True)
    for name, (header, macro, flags) in LIBRARIES.items():
        (configs / f"{name}.pc").write_text(
            f"Name: {name}\nDescription: headers\nVersion: {version_of(header, macro)}\n"
            f"Cflags: -I{include} {flags}\n"
        )


def write_executable(path: pathlib.Path, text: str) -> None:
    if not path.exists() or path.read_text() != text:
        path.write_text(text)
        path.chmod(0o755)


def compiler(target: Target, folder: pathlib.Path) -> pathlib.Path:
    """The target's C++ compiler as one program, which is what ccache and Meson can tell from another."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{target.name}-c++"
    zig = shlex.quote(str(ZIG))
    write_executable(path, f'#!/bin/sh\n# zig {zig_version()}\nexec {zig} c++ -target {target.zig} "$@"\n')
    write_executable(folder / "ar", f'#!/bin/sh\nexec {zig} ar "$@"\n')
    return path


def zig_version() -> str:
    return subprocess.run([ZIG, "version"], check=True, capture_output=True, text=True).stdout.strip()


def environment() -> dict[str, str]:
    """For every command that compiles."""
    cache = {"ZIG_GLOBAL_CACHE_DIR": str(CACHE), "ZIG_LOCAL_CACHE_DIR": str(CACHE)}
    # The compiler is told by what its script says, as its size and time say nothing of zig's; what a file
    # includes is known from its compilation, without another run of the preprocessor.
    ccache = {"CCACHE_COMPILERCHECK": "content", "CCACHE_COMPILERTYPE": "clang", "CCACHE_DEPEND": "1"}
    return os.environ | cache | ccache


def cross_file(target: Target, folder: pathlib.Path, link_args: list[str]) -> pathlib.Path:
    """Writes the Meson cross file of a target; `folder` also keeps the compiler and the headers."""
    stage_libraries(folder)
    cxx = compiler(target, folder)
    launcher = ["ccache"] if which("ccache") else []
    path = folder / "cross.ini"
    path.write_text(
        f"""[binaries]
cpp = {launcher + [str(cxx)]!r}
ar = {str(folder / "ar")!r}
pkg-config = 'pkg-config'

[properties]
needs_exe_wrapper = true
boost_includedir = {str(folder / "include")!r}
boost_librarydir = {str(folder / "lib")!r}
pkg_config_libdir = {str(folder / "pkgconfig")!r}

[built-in options]
cpp_args = {CXX_ARGS!r}
cpp_link_args = {link_args!r}

[host_machine]
system = 'linux'
cpu_family = {target.cpu!r}
cpu = {target.cpu!r}
endian = 'little'
"""
    )
    return path


def which(program: str) -> bool:
    return any(os.access(pathlib.Path(folder) / program, os.X_OK) for folder in os.get_exec_path())
