"""Two stand-ins for AWS: moto's server, and a proxy that adds what moto does not model (see stand_in.py)."""

import io
import logging
import os
import subprocess
import sys
import types
import zipfile
from functools import lru_cache
from pathlib import Path

import boto3
import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(HERE.parent))

from deployment import bundle, cli, progress, steps  # noqa: E402
from stand_in import CloudFrontStandIn, Proxy, serve  # noqa: E402

TOOL = Path(os.environ.get("WALLARM_CONNECTOR", ROOT / "target/debug/wallarm-connector"))
NODE = "https://node.example.com:5050"
# One value of each kind of literal; the last one is a secret.
VALUES = {"wlrm_node_addr": NODE, "wlrm_inline": False, "wlrm_deadline_ms": 500, "wlrm_signing_key": "dGVzdA=="}


def program() -> bytes:
    """The program to pack: the one of `just bundle`, if present. Tests do not run it."""
    for path in (ROOT / "dist").glob("wallarm-cloudfront-request-*.zip"):
        with zipfile.ZipFile(path) as packed:
            return packed.read("bootstrap")
    return b"\x7fELF placeholder"


def pytest_report_header():
    return f"the bundles' program: {len(program())} bytes ({'just bundle' if len(program()) > 99 else 'a placeholder'})"


@pytest.fixture(scope="session")
def moto():
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def releases(tmp_path_factory):
    """Two releases of the bundles, built by the real tool: the deployed one and its successor."""
    folders = {}
    for release, content in (("deployed", b"\x7fELF last release"), ("new", program())):
        folder = tmp_path_factory.mktemp(release)
        (folder / "bootstrap").write_bytes(content)
        command = [TOOL, "bundle", "--bootstrap", folder / "bootstrap", "--out", folder]
        subprocess.run(command, check=True, capture_output=True)
        folders[release] = folder
    return types.SimpleNamespace(**folders)


# Creating a client takes longer than most calls.
@lru_cache
def client(service: str, region_name: str, endpoint_url: str):
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return boto3.client(service, region_name=region_name, endpoint_url=endpoint_url, **keys)


class AwsAccount:
    """Test interface: clients for the stand-in, and commands with their output."""

    def __init__(self, proxy, capsys):
        self.proxy = proxy
        self.capsys = capsys
        self.lambda_ = client("lambda", "us-east-1", proxy.url)
        self.cloudfront = client("cloudfront", "us-east-1", proxy.url)
        self.iam = client("iam", "us-east-1", proxy.url)
        self.logs = client("logs", "us-east-1", proxy.url)
        self.firehose = client("firehose", "us-east-1", proxy.url)

    def run(self, command: str, *arguments: str, expect: int = 0) -> str:
        needs_tool = ("--tool", str(TOOL)) if command in ("deploy", "upgrade") else ()
        code = cli.main([command, *arguments, *needs_tool])
        out, err = self.capsys.readouterr()
        assert code == expect, out + err
        return out + err

    def deploy(self, distribution: str, folder: Path, *arguments: str, expect: int = 0) -> str:
        assignments = [part for name, value in VALUES.items() for part in ("--set", f"{name}={value}")]
        return self.run("deploy", distribution, "--bundles", str(folder), *assignments, *arguments, expect=expect)

    def upgrade(self, distribution: str, folder: Path, *arguments: str, expect: int = 0) -> str:
        return self.run("upgrade", distribution, "--bundles", str(folder), *arguments, expect=expect)

    def functions(self) -> list:
        return sorted(function["FunctionName"] for function in self.lambda_.list_functions()["Functions"])

    def versions(self, name: str) -> list:
        listed = self.lambda_.list_versions_by_function(FunctionName=name)["Versions"]
        return [version["Version"] for version in listed if version["Version"] != "$LATEST"]

    def code(self, name: str) -> bytes:
        return bundle.deployed(self.lambda_.get_function(FunctionName=name))

    def values(self, name: str) -> dict:
        return bundle.parameters(self.code(name))

    def program(self, name: str) -> bytes:
        with zipfile.ZipFile(io.BytesIO(self.code(name))) as packed:
            return packed.read("bootstrap")

    def distribution(self, **settings) -> str:
        config = {
            "CallerReference": "test",
            "Comment": "the shop",
            "Enabled": True,
            "Origins": {"Quantity": 1, "Items": [{
                "Id": "shop",
                "DomainName": "origin.example.com",
                "CustomOriginConfig": {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only"},
            }]},
            "DefaultCacheBehavior": behavior(),
            **settings,
        }
        return self.cloudfront.create_distribution(DistributionConfig=config)["Distribution"]["Id"]

    def config(self, distribution: str) -> dict:
        return self.cloudfront.get_distribution_config(Id=distribution)["DistributionConfig"]


def behavior(associations: list = (), **settings) -> dict:
    items = {"Items": list(associations)} if associations else {}
    return {
        "TargetOriginId": "shop",
        "ViewerProtocolPolicy": "redirect-to-https",
        "CachePolicyId": "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
        "LambdaFunctionAssociations": {"Quantity": len(associations), **items},
        **settings,
    }


def aws_account(proxy: Proxy, monkeypatch, capsys) -> AwsAccount:
    proxy.reset()
    boto3_stub = types.SimpleNamespace(client=lambda service, region_name: client(service, region_name, proxy.url))
    monkeypatch.setattr(steps, "boto3", boto3_stub)
    monkeypatch.setattr(progress, "time", types.SimpleNamespace(sleep=lambda seconds: None))
    return AwsAccount(proxy, capsys)


@pytest.fixture(scope="session")
def proxy(moto):
    with serve(Proxy(moto)) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def stand_in(moto):
    with serve(CloudFrontStandIn(moto)) as proxy:
        yield proxy


@pytest.fixture
def in_moto(proxy, monkeypatch, capsys):
    """moto, except the download addresses of code."""
    return aws_account(proxy, monkeypatch, capsys)


@pytest.fixture
def in_stand_in(stand_in, monkeypatch, capsys):
    """Our CloudFront with its effects on Lambda functions; the rest is moto."""
    return aws_account(stand_in, monkeypatch, capsys)
