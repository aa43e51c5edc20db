# SPDX-License-Identifier: MIT
"""The C++ runtime of a wheel: libc++ out of zig's sources, as an archive that libunicoro takes in whole and
exports to the extension module and the executable."""

import concurrent.futures
import hashlib
import pathlib
import subprocess

import toolchain
from targets import Target

LIBCXX = toolchain.ZIG_ROOT / "lib" / "libcxx"
LIBCXXABI = toolchain.ZIG_ROOT / "lib" / "libcxxabi"

# Parts for other systems, for builds without exceptions, and what is still experimental.
LEFT_OUT = ("experimental", "win32", "libdispatch", "int128_builtins", "cxa_noexception", "libcxx/src/new.cpp")

COMMON = [
    "-c",
    "-O2",
    "-DNDEBUG",
    "-fPIC",
    "-std=c++23",
    "-fvisibility=hidden",
    "-fvisibility-inlines-hidden",
    "-ffunction-sections",
    "-fdata-sections",
    "-faligned-allocation",
    "-fstrict-aliasing",
    "-D_LIBCPP_BUILDING_LIBRARY",
    "-D_LIBCXXABI_BUILDING_LIBRARY",
    "-DLIBCXX_BUILDING_LIBCXXABI",
    "-D_LIBCPP_HAS_NO_PRAGMA_SYSTEM_HEADER",
    "-DLIBC_NAMESPACE=__llvm_libc_common_utils",
    f"-I{LIBCXX / 'src'}",
    f"-I{LIBCXX / 'libc'}",
    f"-I{LIBCXXABI / 'src'}",
]

# What libgcc_s gives to those who throw, and since when. On glibc the unwinder has to be the one that
# pthread_exit uses too, which walks through our frames when Python ends a thread with it.
UNWINDER = {
    "GCC_3.0": (
        "_Unwind_DeleteException _Unwind_GetDataRelBase _Unwind_GetGR _Unwind_GetIP "
        "_Unwind_GetLanguageSpecificData _Unwind_GetRegionStart _Unwind_GetTextRelBase "
        "_Unwind_RaiseException _Unwind_Resume _Unwind_SetGR _Unwind_SetIP"
    ).split(),
    "GCC_3.3": "_Unwind_Backtrace _Unwind_GetCFA _Unwind_Resume_or_Rethrow".split(),
    "GCC_4.2.0": ["_Unwind_GetIPInfo"],
}


def sources() -> list[pathlib.Path]:
    found = sorted([*(LIBCXX / "src").rglob("*.cpp"), *(LIBCXXABI / "src").glob("*.cpp")])
    return [path for path in found if not any(part in str(path) for part in LEFT_OUT)]


def flags_of(target: Target) -> list[str]:
    # musl has none; libc++abi then keeps the destructors of threads itself.
    return [*COMMON, *(["-DHAVE___CXA_THREAD_ATEXIT_IMPL"] if target.libc == "gnu" else [])]


def compile_one(target: Target, cxx: pathlib.Path, source: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    made = folder / (str(source.relative_to(toolchain.ZIG_ROOT / "lib")).replace("/", "-") + ".o")
    if not made.exists():
        unfinished = made.with_suffix(".part.o")
        command = [cxx, *flags_of(target), *toolchain.CXX_ARGS, source, "-o", unfinished]
        subprocess.run(command, check=True, env=toolchain.environment())
        unfinished.rename(made)
    return made


def archive(target: Target, folder: pathlib.Path, jobs: int) -> pathlib.Path:
    """libc++ and libc++abi of one target, compiled once with the same flags."""
    flags = " ".join([*flags_of(target), *toolchain.CXX_ARGS])
    name = f"libc++-{hashlib.sha256(flags.encode()).hexdigest()[:12]}"
    made = folder / f"{name}.a"
    if made.exists():
        return made
    objects = folder / name
    objects.mkdir(parents=True, exist_ok=True)
    cxx = toolchain.compiler(target, folder)
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        files = list(pool.map(lambda source: compile_one(target, cxx, source, objects), sources()))
    subprocess.run([folder / "ar", "rcs", made, *files], check=True)
    return made


def unwinder(target: Target, folder: pathlib.Path) -> list[str]:
    """What to link with for exceptions."""
    if target.libc == "musl":
        # Its pthread_exit unwinds nothing, and a musl system may have no libgcc_s.
        return ["-lunwind"]
    stub = folder / "libgcc_s.so.1"
    if not stub.exists():
        source, script = folder / "libgcc_s.cpp", folder / "libgcc_s.map"
        names = [name for part in UNWINDER.values() for name in part]
        source.write_text("".join(f'extern "C" void {name}() {{}}\n' for name in names))
        script.write_text("".join(f"{node} {{ {'; '.join(part)}; }};\n" for node, part in UNWINDER.items()))
        subprocess.run(
            [toolchain.compiler(target, folder), "-shared", "-nostdlib", "-fPIC", source, "-o", stub]
            + ["-Wl,-soname,libgcc_s.so.1", f"-Wl,--version-script={script}"],
            check=True,
        )
    return [str(stub)]
