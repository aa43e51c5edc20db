# SPDX-License-Identifier: MIT
"""The platforms that wheels are made for."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Target:
    """One platform: what the compiler calls it, and what pip does."""

    cpu: str
    libc: str  # "gnu" or "musl"

    # The oldest that the binaries run on, which the tag promises.
    glibc = (2, 28)
    musl = (1, 2)

    @property
    def name(self) -> str:
        return f"{self.cpu}-linux-{self.libc}"

    @property
    def zig(self) -> str:
        version = "." + ".".join(map(str, self.glibc)) if self.libc == "gnu" else ""
        return self.name + version

    @property
    def tag(self) -> str:
        if self.libc == "gnu":
            return "manylinux_{}_{}_{}".format(*self.glibc, self.cpu)
        return "musllinux_{}_{}_{}".format(*self.musl, self.cpu)

    @property
    def extension_platform(self) -> str:
        """What CPython of this platform writes into the names of extension modules."""
        return self.name


TARGETS = {
    target.name: target
    for target in (
        Target("x86_64", "gnu"),
        Target("aarch64", "gnu"),
        Target("x86_64", "musl"),
        Target("aarch64", "musl"),
    )
}
