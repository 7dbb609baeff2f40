"""Lambda: creates, updates, publishes and deletes functions. Lambda@Edge needs numbered versions in us-east-1."""

import base64
import hashlib
from dataclasses import dataclass
from typing import Optional

from botocore.exceptions import ClientError

from .policy import TAG
from .progress import poll, say

#: Seconds; no visitor should wait longer (docs/connector.md). The connector replies far earlier.
TIMEOUT = 5
#: Seconds; a new role takes some time to propagate.
ROLE_WAIT = 60


@dataclass(frozen=True)
class Settings:
    """Settings of a function. None keeps the current value, or the default for a new function."""

    runtime: Optional[str] = None
    memory: Optional[int] = None

    DEFAULT_RUNTIME = "python3.13"
    DEFAULT_MEMORY = 128


def name_of(arn: str) -> str:
    """The function name in an ARN with or without version."""
    return arn.split(":")[6]


def find(client, name: str) -> Optional[dict]:
    """The response of GetFunction; None if the function does not exist."""
    try:
        return client.get_function(FunctionName=name)
    except client.exceptions.ResourceNotFoundException:
        return None


def ensure(client, name: str, zip_bytes: bytes, role: str, settings: Settings, deployment: str) -> str:
    """Creates or updates a function, publishes it, and returns the ARN of its latest version."""
    function = find(client, name)
    if function is None:
        _create(client, name, zip_bytes, role, settings, deployment)
    else:
        _update(client, name, zip_bytes, settings, function["Configuration"])
    digest = _digest(zip_bytes)
    known = _versions(client, name)
    # Lambda returns the latest version if neither code nor settings have changed.
    published = client.publish_version(FunctionName=name, CodeSha256=digest)
    version = published["Version"]
    say(f"{name}: version {version}, unchanged" if version in known else f"{name}: version {version} published")
    client.get_waiter("function_active_v2").wait(FunctionName=name, Qualifier=version)
    return published["FunctionArn"]


def delete(client, name: str, limit: int) -> bool:
    """Deletes a function with all its versions. False if CloudFront still has replicas after the limit."""

    def attempt() -> Optional[bool]:
        try:
            client.delete_function(FunctionName=name)
            say(f"{name}: deleted")
            return True
        except client.exceptions.ResourceNotFoundException:
            say(f"{name}: does not exist")
            return True
        except ClientError as error:
            if "replicated function" not in error.response["Error"].get("Message", ""):
                raise
            say(f"{name}: CloudFront still has replicas")
            return None

    return poll(attempt, every=30, limit=limit) is not None


def _create(client, name: str, zip_bytes: bytes, role: str, settings: Settings, deployment: str) -> None:
    def attempt() -> Optional[dict]:
        try:
            return client.create_function(
                FunctionName=name,
                Description="Wallarm connector for Amazon CloudFront (Lambda@Edge)",
                Runtime=settings.runtime or Settings.DEFAULT_RUNTIME,
                Architectures=["x86_64"],
                Handler="lambda_function.lambda_handler",
                Role=role,
                Timeout=TIMEOUT,
                MemorySize=settings.memory or Settings.DEFAULT_MEMORY,
                Code={"ZipFile": zip_bytes},
                Tags={TAG: deployment},
            )
        except client.exceptions.InvalidParameterValueException as error:
            if "cannot be assumed" not in str(error):
                raise
            say(f"{name}: the role has not propagated yet")
            rejected.append(error)
            return None

    rejected: list = []
    if poll(attempt, every=5, limit=ROLE_WAIT) is None:
        raise rejected[-1]
    say(f"{name}: created")
    client.get_waiter("function_active_v2").wait(FunctionName=name)


def _update(client, name: str, zip_bytes: bytes, settings: Settings, current: dict) -> None:
    wanted = {"Runtime": settings.runtime, "MemorySize": settings.memory}
    changed = {key: value for key, value in wanted.items() if value is not None and value != current.get(key)}
    if changed:
        client.update_function_configuration(FunctionName=name, **changed)
        client.get_waiter("function_updated_v2").wait(FunctionName=name)
        say(f"{name}: {', '.join(f'{key} {value}' for key, value in changed.items())}")
    if current["CodeSha256"] != _digest(zip_bytes):
        client.update_function_code(FunctionName=name, ZipFile=zip_bytes)
        client.get_waiter("function_updated_v2").wait(FunctionName=name)
        say(f"{name}: code updated")


def _versions(client, name: str) -> set:
    pages = client.get_paginator("list_versions_by_function").paginate(FunctionName=name)
    return {version["Version"] for page in pages for version in page["Versions"]}


def _digest(zip_bytes: bytes) -> str:
    """Digest in the format of Lambda."""
    return base64.b64encode(hashlib.sha256(zip_bytes).digest()).decode()
