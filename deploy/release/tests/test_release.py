"""Files of releases: archives and SBOMs depend on their sources only, and missing targets are named."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

RELEASE = Path(__file__).resolve().parents[1]
ROOT = RELEASE.parents[1]
sys.path.insert(0, str(RELEASE))

import archive  # noqa: E402
import release  # noqa: E402
import sbom  # noqa: E402

TARGET = release.TARGETS["x86-64"]
EPOCH = 1_700_000_000


def packed(folder: Path, modified: int, mode: int) -> Path:
    folder.mkdir()
    for name in ("b", "a"):
        (folder / name).write_text(name)
        (folder / name).chmod(mode)
        os.utime(folder / name, (modified, modified))
    file = folder / "program-1.tar.gz"
    archive.pack(file, {folder / "b": 0o755, folder / "a": 0o644}, EPOCH)
    return file


def test_an_archive_does_not_depend_on_the_files_it_was_made_from(tmp_path):
    first, second = packed(tmp_path / "one", 1, 0o600), packed(tmp_path / "two", 2, 0o777)
    assert first.read_bytes() == second.read_bytes()
    with tarfile.open(first) as tar:
        entries = [(entry.name, oct(entry.mode), entry.mtime, entry.uid, entry.uname) for entry in tar]
    assert entries == [("program-1/a", "0o644", EPOCH, 0, ""), ("program-1/b", "0o755", EPOCH, 0, "")]


def bill(program: sbom.Program, root: Path = ROOT) -> dict:
    return json.loads(sbom.document(root, program, TARGET, "1ecff8fd1c2b", EPOCH))


def names(document: dict, scope: str) -> set[str]:
    return {component["name"] for component in document["components"] if component["scope"] == scope}


def test_a_bill_lists_what_is_linked_and_what_only_builds_it():
    linked, build = (names(bill(release.BUNDLE), scope) for scope in ("required", "excluded"))
    assert {"rustls", "ring", "shared", "tokio"} <= linked
    assert {"serde_derive", "syn", "cc"} <= build
    # Of the console's use of the same crate.
    assert not {"zip", "clap", "sqlx"} & (linked | build)
    assert "sqlx" in names(bill(release.CONSOLE), "required")


def test_a_crate_has_the_checksum_of_cargo_lock_and_a_member_no_address():
    components = {component["name"]: component for component in bill(release.NODE)["components"]}
    rustls = components["rustls"]
    assert rustls["purl"] == f"pkg:cargo/{rustls['bom-ref']}"
    assert rustls["hashes"][0]["content"] in (ROOT / "Cargo.lock").read_text()
    assert "purl" not in components["engine"] and "hashes" not in components["engine"]


def test_every_component_has_a_license_and_known_dependencies():
    document = bill(release.CONSOLE)
    refs = {component["bom-ref"] for component in document["components"]}
    refs.add(document["metadata"]["component"]["bom-ref"])
    assert all(component["licenses"] for component in document["components"])
    assert {edge["ref"] for edge in document["dependencies"]} == refs
    assert {child for edge in document["dependencies"] for child in edge["dependsOn"]} < refs


def test_a_bill_does_not_depend_on_the_folder(tmp_path):
    copy = tmp_path / "elsewhere"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".git", "target", "dist", "corpus", "screenshots"))
    assert bill(release.NODE, copy) == bill(release.NODE)


def test_a_target_that_is_not_installed_is_left_out_and_named(capsys):
    assert release.select(lambda target: target == TARGET, []) == {"x86-64": TARGET}
    assert "left out arm64" in capsys.readouterr().out


def test_a_required_target_that_is_not_installed_fails_with_the_command():
    with pytest.raises(release.Failed, match="rustup target add aarch64-unknown-linux-gnu"):
        release.select(lambda target: target == TARGET, ["arm64"])
