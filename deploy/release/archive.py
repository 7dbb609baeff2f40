"""Archives that depend on their content only: fixed order, owner, permissions and time."""

import gzip
import io
import tarfile
from pathlib import Path


def pack(archive: Path, files: dict[Path, int], epoch: int) -> None:
    """Writes a `.tar.gz` with the files, each with its permissions, in a folder of the archive's name."""
    folder = archive.name.removesuffix(".tar.gz")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for file, mode in sorted(files.items(), key=lambda entry: entry[0].name):
            entry = tarfile.TarInfo(f"{folder}/{file.name}")
            entry.size, entry.mode, entry.mtime = file.stat().st_size, mode, epoch
            with file.open("rb") as content:
                tar.addfile(entry, content)
    archive.write_bytes(gzip.compress(packed.getvalue(), mtime=0))
