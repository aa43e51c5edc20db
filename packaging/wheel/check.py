# SPDX-License-Identifier: MIT
"""Whether a wheel keeps what its tag promises, by auditwheel and by its symbols."""

import io
import pathlib
import re
import subprocess
import sys
import zipfile

from elftools.elf.elffile import ELFFile

LIBRARY = "unicoro/lib/libunicoro.so.0"
CPP = re.compile(r"_Z|__cxa_|__gxx_|__dynamic_cast")
# Weak or not, these are the C library's.
NOT_OURS = {"__cxa_finalize", "__cxa_thread_atexit_impl", "__cxa_atexit"}

# What belongs to libraries that others in the process may have, too: theirs and ours must not meet.
BUNDLED = re.compile(r"(SSL|TLS|BIO|EVP|X509|OPENSSL|CRYPTO|nghttp2|ZSTD|HUF|Brotli|deflate|crc32|adler32)")


def platform_of(wheel: pathlib.Path) -> str:
    """The oldest platform that auditwheel finds the wheel fit for."""
    ran = subprocess.run(
        [sys.executable, "-m", "auditwheel", "show", wheel], capture_output=True, text=True, check=False
    )
    found = re.search(r'platform\s+tag:\s+"([^"]+)"', ran.stdout)
    if ran.returncode != 0 or found is None:
        raise SystemExit(f"auditwheel says of {wheel.name}:\n{ran.stdout}{ran.stderr}")
    return found[1]


def symbols(wheel: zipfile.ZipFile, name: str) -> tuple[set[str], set[str]]:
    """What a binary defines for others, and what it takes from them."""
    table = ELFFile(io.BytesIO(wheel.read(name))).get_section_by_name(".dynsym")
    defined, taken = set(), set()
    for symbol in table.iter_symbols():
        (taken if symbol["st_shndx"] == "SHN_UNDEF" else defined).add(symbol.name)
    return defined, taken


def not_exported(wheel: pathlib.Path) -> list[str]:
    """What the module and the executable want of C++ that libunicoro does not give."""
    with zipfile.ZipFile(wheel) as opened:
        users = [name for name in opened.namelist() if name.startswith("_unicoro.") or name == "unicoro/bin/unicoro"]
        given, _ = symbols(opened, LIBRARY)
        wanted = set().union(*(symbols(opened, name)[1] for name in users))
    return sorted(name for name in wanted - given - NOT_OURS if CPP.match(name))


def given_away(wheel: pathlib.Path) -> list[str]:
    """What libunicoro shows of the libraries in it."""
    with zipfile.ZipFile(wheel) as opened:
        return sorted(name for name in symbols(opened, LIBRARY)[0] if BUNDLED.match(name))


def check(wheel: pathlib.Path) -> str:
    """A line for people; ends the program if the tag is wrong."""
    promised = wheel.stem.split("-")[-1]
    found = platform_of(wheel)
    if not keeps(promised, found):
        raise SystemExit(f"{wheel.name}: auditwheel finds it fit for {found} only")
    missing = not_exported(wheel)
    if missing:
        raise SystemExit(f"{wheel.name}: libunicoro does not export {', '.join(missing[:10])}")
    shown = given_away(wheel)
    if shown:
        raise SystemExit(f"{wheel.name}: libunicoro exports what is bundled: {', '.join(shown[:10])}")
    return f"{wheel.name}: {wheel.stat().st_size / 1e6:.2f} MB, fit for {found}"


def keeps(promised: str, found: str) -> bool:
    """True when what is fit for `found` is fit for `promised`: the same libc, and none older asked for."""
    form = re.compile(r"(manylinux|musllinux)_(\d+)_(\d+)_(.+)")
    one, other = form.fullmatch(promised), form.fullmatch(found)
    if one is None or other is None or (one[1], one[4]) != (other[1], other[4]):
        return False
    return (int(other[2]), int(other[3])) <= (int(one[2]), int(one[3]))
