"""Installation of locked tools: a file is installed only with the hash of its lock."""

import hashlib
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

INSTALL = Path(__file__).resolve().parents[3] / ".ci/tools/python/install"


def wheel(folder: Path) -> Path:
    file = folder / "tool-1-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("tool.py", "")
        packed.writestr("tool-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: tool\nVersion: 1\n")
        packed.writestr("tool-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        packed.writestr("tool-1.dist-info/RECORD", "tool.py,,\n")
    return file


@pytest.fixture
def install(tmp_path):
    """Installs the wheel with a lock that has this text, without a package index."""
    shutil.copy(INSTALL, tmp_path)

    def run(lock: str) -> subprocess.CompletedProcess:
        (tmp_path / "tool.txt").write_text(lock)
        environment = os.environ | {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}
        command = [tmp_path / "install", "tool", tmp_path / "out"]
        return subprocess.run(command, check=False, env=environment, capture_output=True, text=True)

    return run


def test_a_tool_with_the_hash_of_its_lock_is_installed(install, tmp_path):
    checksum = hashlib.sha256(wheel(tmp_path).read_bytes()).hexdigest()
    result = install(f"tool==1 --hash=sha256:{checksum}\n")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "out/tool.py").exists() and (tmp_path / "out/lock.txt").exists()


def test_a_tool_with_another_hash_is_rejected(install, tmp_path):
    wheel(tmp_path)
    result = install(f"tool==1 --hash=sha256:{'0' * 64}\n")
    assert result.returncode != 0 and "DO NOT MATCH THE HASHES" in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_tool_without_a_hash_is_rejected(install, tmp_path):
    wheel(tmp_path)
    result = install("tool==1\n")
    assert result.returncode != 0 and "require-hashes" in result.stderr
