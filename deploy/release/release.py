#!/usr/bin/env python3
"""Builds the files of a release: bundles, programs for x86-64 and arm64, a Debian package, SBOMs and checksums.

Run it as `just release`. Equal sources make equal files, in any folder; see docs/release.md.
"""

import argparse
import hashlib
import os
import subprocess
import sys
from pathlib import Path

from archive import pack
from sbom import Program, document

ROOT = Path(__file__).resolve().parents[2]
TARGETS = {"x86-64": "x86_64-unknown-linux-gnu", "arm64": "aarch64-unknown-linux-gnu"}
# Lambda@Edge runs on x86-64 only.
BUNDLE = Program("wallarm-cloudfront", "connector", ("--no-default-features", "--features", "function"))
NODE, CONSOLE = Program("wallarm-node", "node"), Program("wallarm-console", "console-api")
FILES = {
    NODE: ("LICENSE", "deploy/node/node.yaml", "deploy/node/wallarm-node.service", "deploy/node/wallarm-node.sysusers"),
    CONSOLE: ("LICENSE",),
}


class Failed(Exception):
    """A release that cannot be built, and what to do."""


def output(*command: str | Path) -> str:
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def run(*command: str | Path, **environment: str) -> None:
    subprocess.run(command, cwd=ROOT, check=True, env=os.environ | environment)


def select(installed, required: list[str]) -> dict[str, str]:
    """The targets whose standard library is installed; others are left out, which fails if they are required."""
    selected = {}
    for name, target in TARGETS.items():
        if installed(target):
            selected[name] = target
            continue
        reason = f"{name}: its standard library is not installed. Run `rustup target add {target}`."
        if name in required:
            raise Failed(reason)
        print(f"left out {reason}", flush=True)
    return selected


def is_installed(target: str) -> bool:
    return Path(output("rustc", "--print", "target-libdir", "--target", target)).is_dir()


class Release:
    """One commit, built to one folder."""

    def __init__(self, out: Path):
        self.out = out
        self.version = output("cargo", "pkgid", "--package", "node").rpartition("#")[2].rpartition("@")[2]
        self.commit = output("git", "rev-parse", "--short=12", "HEAD")
        self.epoch = int(output("git", "log", "-1", "--format=%ct"))
        if output("git", "status", "--porcelain"):
            self.commit += "-dirty"
            print("uncommitted changes: this release cannot be reproduced from a commit", flush=True)
        self.build = f"{self.version} ({self.commit})"

    def bundles(self) -> None:
        run("just", f"dist={self.out}", "bundle")
        self.sbom(BUNDLE, "x86-64")

    def program(self, program: Program, architecture: str) -> None:
        target = TARGETS[architecture]
        run("just", "_compile", "release", target, program.package, program.name, WALLARM_BUILD=self.build)
        binary = ROOT / "target" / target / "release" / program.name
        # Read from the file, as other architectures do not run here.
        if self.build.encode() not in binary.read_bytes():
            raise Failed(f"{binary} does not contain its version, {self.build}")
        files = {binary: 0o755} | {ROOT / file: 0o644 for file in FILES[program]}
        pack(self.out / f"{self.name(program, architecture)}.tar.gz", files, self.epoch)
        self.sbom(program, architecture)

    def debian_package(self, architecture: str) -> None:
        run("cargo-deb", "--package", NODE.package, "--no-build", "--no-strip", "--target", TARGETS[architecture],
            "--output", self.out, SOURCE_DATE_EPOCH=str(self.epoch))

    def sbom(self, program: Program, architecture: str) -> None:
        file = self.out / f"{self.name(program, architecture)}.cdx.json"
        file.write_text(document(ROOT, program, TARGETS[architecture], self.commit, self.epoch))

    def checksums(self) -> None:
        files = sorted(file for file in self.out.iterdir() if file.name != "SHA256SUMS")
        lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
        (self.out / "SHA256SUMS").write_text("".join(lines))
        print("".join(lines), end="")

    def name(self, program: Program, architecture: str) -> str:
        return f"{program.name}-{self.version}-linux-{architecture}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], prog="just release")
    parser.add_argument("--out", type=Path, default=ROOT / "dist/release", help="new or empty folder (dist/release)")
    parser.add_argument("--require", action="append", choices=TARGETS, default=[], help="fail if it cannot be built")
    options = parser.parse_args()
    try:
        targets = select(is_installed, options.require)
        out = options.out.resolve()
        out.mkdir(parents=True, exist_ok=True)
        if any(out.iterdir()):
            raise Failed(f"{out} is not empty")
        release = Release(out)
        release.bundles()
        for architecture in targets:
            release.program(NODE, architecture)
            release.debian_package(architecture)
            release.program(CONSOLE, architecture)
        release.checksums()
    except (Failed, subprocess.CalledProcessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
