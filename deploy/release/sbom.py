"""Software bills of materials (CycloneDX 1.5) from `cargo tree`: the packages of one program, for its target and features.

`cargo-cyclonedx` lists what any crate of the workspace enables, such as the zip code that a bundle does not contain, and
names the folder of the build.
"""

import datetime
import json
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Program:
    """What is built: a program of a package, with options of cargo that select features."""

    name: str
    package: str
    features: tuple[str, ...] = ()


@dataclass(frozen=True)
class Package:
    name: str
    version: str
    license: str

    @property
    def ref(self) -> str:
        return f"{self.name}@{self.version}"


def document(root: Path, program: Program, target: str, commit: str, epoch: int) -> str:
    """The SBOM as JSON. Packages that only run during the build (macros, build scripts) are `excluded`."""
    edges = _tree(root, program, target, "normal,build")
    linked = set(_tree(root, program, target, "normal,no-proc-macro"))
    checksums = _checksums(root / "Cargo.lock")
    top = next(iter(edges))
    time = datetime.datetime.fromtimestamp(epoch, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    main = {"type": "application", "bom-ref": top.ref, "name": program.name, "version": top.version}
    return json.dumps({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "timestamp": time,
            "component": main | _license(top),
            "properties": [{"name": "commit", "value": commit}, {"name": "target", "value": target}],
        },
        "components": [
            _component(package, package in linked, checksums.get(package.ref))
            for package in sorted(edges, key=lambda package: package.ref) if package != top
        ],
        "dependencies": [
            {"ref": package.ref, "dependsOn": sorted(child.ref for child in edges[package])}
            for package in sorted(edges, key=lambda package: package.ref)
        ],
    }, indent=2) + "\n"


def _component(package: Package, is_linked: bool, checksum: str | None) -> dict:
    component = {"type": "library", "bom-ref": package.ref, "name": package.name, "version": package.version,
                 "scope": "required" if is_linked else "excluded"}
    component |= _license(package)
    # Members of the workspace have no checksum. They have no purl either: a crate of that name is another one.
    if checksum:
        component["hashes"] = [{"alg": "SHA-256", "content": checksum}]
        component["purl"] = f"pkg:cargo/{package.ref}"
    return component


def _license(package: Package) -> dict:
    # `/` separates alternatives in old crates.
    return {"licenses": [{"expression": package.license.replace("/", " OR ")}]} if package.license else {}


def _tree(root: Path, program: Program, target: str, edges: str) -> dict[Package, set[Package]]:
    """The packages below a program with their dependencies, as cargo's resolver selects them for this program alone."""
    command = ["cargo", "tree", "--locked", "--package", program.package, *program.features, "--target", target,
               "--edges", edges, "--prefix", "depth", "--format", "\t{p}\t{l}"]
    output = subprocess.run(command, cwd=root, check=True, stdout=subprocess.PIPE, text=True).stdout
    found: dict[Package, set[Package]] = {}
    path: list[Package] = []
    for line in filter(None, output.splitlines()):
        depth, identity, rest = line.split("\t")
        name, version = identity.split()[:2]
        package = Package(name, version.removeprefix("v"), rest.removesuffix(" (*)"))
        path[int(depth):] = [package]
        found.setdefault(package, set())
        if len(path) > 1:
            found[path[-2]].add(package)
    return found


def _checksums(lock: Path) -> dict[str, str]:
    """The SHA-256 of the packages in `Cargo.lock`, by `name@version`."""
    packages = tomllib.loads(lock.read_text())["package"]
    return {f"{package['name']}@{package['version']}": package["checksum"] for package in packages if "checksum" in package}
