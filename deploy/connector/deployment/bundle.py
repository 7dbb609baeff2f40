"""The zips: the new ones from `just bundle`, and what the deployed ones hold."""

import ast
import io
import subprocess
import tempfile
import urllib.request
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from .progress import Refused, say

KINDS = ("request", "response")
LAUNCHER = "lambda_function.py"


@dataclass(frozen=True)
class Tool:
    """`wallarm-connector`, which knows how to carry parameters from one bundle to another."""

    path: Path

    def configure(self, zip_bytes: bytes, deployed: Optional[bytes], assignments: list) -> bytes:
        """The bundle with the values of the deployed one, and then with those to set."""
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
                hint = "cargo build -p connector --bin wallarm-connector makes it"
                raise Refused(f"{self.path} is missing; {hint}") from None
            if done.returncode != 0:
                raise Refused(f"the parameters cannot be set: {done.stderr.strip().removeprefix('Error: ')}")
            for line in done.stdout.splitlines():
                say(f"    {line}")
            return new.read_bytes()


def newest(folder: Path, kind: str) -> bytes:
    """The bundle of one function in the folder that `just bundle` wrote."""
    found = list(folder.glob(f"wallarm-cloudfront-{kind}-*.zip"))
    if not found:
        raise Refused(f"{folder} has no wallarm-cloudfront-{kind}-*.zip; `just bundle` makes it")
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
    """The zip that a function runs, from the answer of GetFunction."""
    try:
        with urllib.request.urlopen(function["Code"]["Location"], timeout=60) as answer:
            return answer.read()
    except OSError as error:
        name = function["Configuration"]["FunctionName"]
        raise Refused(f"the code of {name}, which holds its values, cannot be downloaded: {error}") from None


def prepare(tool: Tool, folder: Path, kind: str, function: Optional[dict], assignments: list) -> bytes:
    """The bundle to deploy: the new program with the values in use."""
    zip_bytes = newest(folder, kind)
    say(f"bundle for {kind}s, with the values of {function['Configuration']['FunctionName']}:" if function
        else f"bundle for {kind}s, as it was made:")
    if function or assignments:
        zip_bytes = tool.configure(zip_bytes, deployed(function) if function else None, assignments)
    address = parameters(zip_bytes).get("wlrm_node_addr")
    if not address:
        raise Refused("wlrm_node_addr is empty, so nothing would be inspected; "
                      "set the node's address: --set wlrm_node_addr=https://node.example.com:5050")
    say(f"    node {address}")
    return zip_bytes
