"""Bundles: the new zips of `just bundle`, and the deployed ones."""

import ast
import io
import secrets
import subprocess
import tempfile
import urllib.request
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from .progress import Refused, say

LAUNCHER = "lambda_function.py"
#: The key of a deployment with two stages; without it, the function knows no other stage.
MARK_KEYS = "wlrm_mark_keys"


@dataclass(frozen=True)
class Tool:
    """The program `wallarm-connector`, which carries parameters over from one bundle to another."""

    path: Path

    def configure(self, zip_bytes: bytes, deployed: Optional[bytes], assignments: list) -> bytes:
        """Applies the values of the deployed bundle, then the assignments."""
        with tempfile.TemporaryDirectory() as folder:
            new, old = Path(folder, "new.zip"), Path(folder, "deployed.zip")
            new.write_bytes(zip_bytes)
            command = [str(self.path), "configure", str(new)]
            if deployed is not None:
                old.write_bytes(deployed)
                command += ["--from", str(old)]
            command += [part for assignment in assignments for part in ("--set", assignment)]
            try:
                done = subprocess.run(command, capture_output=True, text=True, check=False)
            except FileNotFoundError:
                hint = "build it with cargo build -p connector --bin wallarm-connector"
                raise Refused(f"{self.path} is missing; {hint}") from None
            if done.returncode != 0:
                raise Refused(f"cannot set the parameters: {done.stderr.strip().removeprefix('Error: ')}")
            for line in done.stdout.splitlines():
                say(f"    {line}")
            return new.read_bytes()


def newest(folder: Path, kind: str) -> bytes:
    """The newest bundle of one function in the output folder of `just bundle`."""
    found = list(folder.glob(f"wallarm-cloudfront-{kind}-*.zip"))
    if not found:
        raise Refused(f"{folder} has no wallarm-cloudfront-{kind}-*.zip; create it with `just bundle`")
    return max(found, key=lambda path: path.stat().st_mtime).read_bytes()


def parameters(zip_bytes: bytes) -> dict:
    """The `wlrm_*` values in a bundle."""
    with zipfile.ZipFile(io.BytesIO(zip_bytes)) as bundle:
        tree = ast.parse(bundle.read(LAUNCHER))
    return {
        target.id: ast.literal_eval(statement.value)
        for statement in tree.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name) and target.id.startswith("wlrm_")
    }


def deployed(function: dict) -> bytes:
    """Downloads the zip of a function, from the response of GetFunction."""
    try:
        with urllib.request.urlopen(function["Code"]["Location"], timeout=60) as response:
            return response.read()
    except OSError as error:
        name = function["Configuration"]["FunctionName"]
        raise Refused(f"cannot download the code of {name}, which contains its parameters: {error}") from None


def prepare(
    tool: Tool, folder: Path, kind: str, function: Optional[dict], assignments: list, stages: Optional[bool] = None
) -> bytes:
    """The bundle to deploy: the new program with the deployed values. `stages`: whether the function has two."""
    zip_bytes = newest(folder, kind)
    before = deployed(function) if function else None
    say(f"bundle for {kind}s, with the values of {function['Configuration']['FunctionName']}:" if function
        else f"bundle for {kind}s, with its own values:")
    if stages is not None:
        assignments = assignments + mark_keys(parameters(before or zip_bytes), assignments, stages)
    if function or assignments:
        zip_bytes = tool.configure(zip_bytes, before, assignments)
    address = parameters(zip_bytes).get("wlrm_node_addr")
    if not address:
        raise Refused("wlrm_node_addr is empty: no request would be inspected; "
                      "set the node's address: --set wlrm_node_addr=https://node.example.com:5050")
    say(f"    node {address}")
    return zip_bytes


def mark_keys(values: dict, assignments: list, stages: bool) -> list:
    """A new key for two stages, unless one is set. With one stage there is none: the function would leave the rest of
    bodies to the other."""
    if any(assignment.startswith(f"{MARK_KEYS}=") and assignment != f"{MARK_KEYS}=None" for assignment in assignments):
        if not stages:
            raise Refused(f"{MARK_KEYS} is the key of two stages; deploy them with --stages viewer+origin")
        return []
    if stages == bool(values.get(MARK_KEYS)):
        return []
    return [f"{MARK_KEYS}={secrets.token_hex(32)}" if stages else f"{MARK_KEYS}=None"]
