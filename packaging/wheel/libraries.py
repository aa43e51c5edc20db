# SPDX-License-Identifier: MIT
"""The small C libraries in the wheels of one target, as static archives that libunicoro hides: nghttp2 for HTTP/2,
and those that compress."""

import concurrent.futures
import dataclasses
import pathlib
import re
import shutil
from collections.abc import Callable

import sources
import toolchain
from targets import Target

SUITE = "trixie"
OPTIONS = "-O2 -fPIC -fvisibility=hidden -ffunction-sections -fdata-sections -fno-sanitize=undefined".split()


@dataclasses.dataclass(frozen=True)
class Library:
    package: str  # Debian's source
    pkgconfig: str  # as Meson asks for it
    version: tuple[str, str]  # file, and pattern whose groups are the parts
    parts: tuple[str, ...]  # what is compiled
    include: str  # folder of the public headers
    defines: tuple[str, ...] = ()
    users_define: tuple[str, ...] = ()
    # Makes headers of templates, as the library's own configure would.
    prepare: Callable[[pathlib.Path, str], None] = lambda tree, version: None

    def version_of(self, tree: pathlib.Path) -> str:
        path, pattern = self.version
        return ".".join(re.search(pattern, (tree / path).read_text(), re.DOTALL).groups())


def write_nghttp2_version(tree: pathlib.Path, version: str) -> None:
    number = "0x" + "".join(f"{int(part):02x}" for part in version.split("."))
    headers = tree / "lib" / "includes" / "nghttp2"
    template = (headers / "nghttp2ver.h.in").read_text()
    made = template.replace("@PACKAGE_VERSION@", version).replace("@PACKAGE_VERSION_NUM@", number)
    (headers / "nghttp2ver.h").write_text(made)


# In the suite are the first nghttp2 with its limits for floods, and a zstd that can leave strategies out.
LIBRARIES = (
    Library(
        package="nghttp2",
        pkgconfig="libnghttp2",
        version=("configure.ac", r"AC_INIT\(\[nghttp2\],\s*\[([0-9.]+)"),
        parts=("lib/*.c",),
        include="lib/includes",
        defines=(
            "-DNGHTTP2_STATICLIB",
            "-DHAVE_ARPA_INET_H=1",
            "-DHAVE_NETINET_IN_H=1",
            "-DHAVE_CLOCK_GETTIME=1",
            "-DHAVE_DECL_CLOCK_MONOTONIC=1",
        ),
        users_define=("-DNGHTTP2_STATICLIB",),
        prepare=write_nghttp2_version,
    ),
    Library(
        package="zlib",
        pkgconfig="zlib",
        version=("zlib.h", r'define ZLIB_VERSION "([0-9.]+)'),
        parts=("adler32.c", "crc32.c", "deflate.c", "trees.c", "zutil.c"),
        include=".",
        defines=("-DHAVE_HIDDEN",),
    ),
    Library(
        package="brotli",
        pkgconfig="libbrotlienc",
        version=("c/common/version.h", r"VERSION_MAJOR (\d+).*VERSION_MINOR (\d+).*VERSION_PATCH (\d+)"),
        parts=("c/common/*.c", "c/enc/*.c"),
        include="c/include",
    ),
    Library(
        package="libzstd",
        pkgconfig="libzstd",
        version=("lib/zstd.h", r"VERSION_MAJOR\s+(\d+).*VERSION_MINOR\s+(\d+).*VERSION_RELEASE\s+(\d+)"),
        parts=("lib/common/*.c", "lib/compress/*.c"),
        include="lib",
        # No weak symbols, and not the strategies of levels that no setting asks for.
        defines=(
            "-DZSTD_TRACE=0",
            "-DZSTD_EXCLUDE_BTLAZY2_BLOCK_COMPRESSOR",
            "-DZSTD_EXCLUDE_BTOPT_BLOCK_COMPRESSOR",
            "-DZSTD_EXCLUDE_BTULTRA_BLOCK_COMPRESSOR",
        ),
    ),
)


def build(library: Library, target: Target, folder: pathlib.Path, jobs: int) -> pathlib.Path:
    """The built tree, with the archive in it."""
    tree = folder / target.name
    options = [*OPTIONS, *library.defines]
    if sources.is_built(tree, options):
        return tree
    said = folder / "said.log"
    shutil.rmtree(tree, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    sources.unpack(library.package, SUITE, tree, folder / "source", said)
    library.prepare(tree, library.version_of(tree))
    compiler = sources.c_compiler(target.name, target.zig, folder)
    parts = sorted(path for pattern in library.parts for path in tree.glob(pattern))

    def compile_one(part: pathlib.Path) -> pathlib.Path:
        made = part.with_suffix(".o")
        sources.run([compiler, *options, f"-I{tree / library.include}", "-c", part, "-o", made], tree, said)
        return made

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        objects = list(pool.map(compile_one, parts))
    sources.run([*sources.tools()["AR"].split(), "rcs", archive_in(library, tree), *objects], tree, said)
    sources.mark_built(tree, options)
    return tree


def archive_in(library: Library, tree: pathlib.Path) -> pathlib.Path:
    return tree / f"{library.pkgconfig}.a"


def stage(target: Target, tools: pathlib.Path, jobs: int) -> None:
    """Builds them, and tells pkg-config of them."""
    configs = tools / "pkgconfig"
    configs.mkdir(parents=True, exist_ok=True)
    for library in LIBRARIES:
        tree = build(library, target, toolchain.CACHE.parent / library.package, jobs)
        flags = " ".join([*library.users_define, f"-I{tree / library.include}"])
        (configs / f"{library.pkgconfig}.pc").write_text(
            f"Name: {library.pkgconfig}\nDescription: static\nVersion: {library.version_of(tree)}\n"
            f"Cflags: {flags}\nLibs: {archive_in(library, tree)}\n"
        )
