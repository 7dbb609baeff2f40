"""IAM: the execution role of both functions, and the role of Firehose. Each may only do its one task, and its boundary
allows no more."""

import json
from dataclasses import dataclass
from typing import Optional

from botocore.exceptions import ClientError

from .policy import FIREHOSE, PATH, SERVICES, TAG, LogsScope, Scope, bucket, document, logs
from .progress import Refused, say

LOGS = "logs"


@dataclass(frozen=True)
class Purpose:
    """A role of a deployment; its name is `scope.deployment`."""

    scope: Scope
    description: str
    trust: dict
    permissions: dict
    #: Options of `policy` that print its boundary.
    options: str


def of_functions(scope: Scope) -> Purpose:
    return Purpose(scope, "writes the functions' logs", trust(), logs(scope), f"--name {scope.deployment} --only boundary")


def of_firehose(logs_scope: LogsScope) -> Purpose:
    options = f"--name {logs_scope.scope.deployment} --logs-bucket {logs_scope.bucket} --only logs-boundary"
    return Purpose(logs_scope.role, "Firehose keeps records that the node did not accept",
                   trust([FIREHOSE]), bucket(logs_scope), options)


def trust(services: list = SERVICES) -> dict:
    return document({"Effect": "Allow", "Principal": {"Service": services}, "Action": "sts:AssumeRole"})


def ensure(client, purpose: Purpose) -> str:
    """Returns the ARN of the role; creates the role, and its boundary, if needed."""
    scope = purpose.scope
    name = scope.deployment
    role = _find(client, name)
    if role is None:
        _ensure_boundary(client, purpose)
        client.create_role(
            Path=PATH,
            RoleName=name,
            Description=f"Wallarm connector for Amazon CloudFront: {purpose.description}",
            AssumeRolePolicyDocument=json.dumps(purpose.trust),
            PermissionsBoundary=scope.boundary,
            Tags=[{"Key": TAG, "Value": name}],
        )
        say(f"role {name}: created, with boundary {scope.boundary}")
    elif not _ours(role):
        raise Refused(f"the role {name} exists and was not created by this tool; "
                      f"use it with --role {role['Arn']}, or choose another --name")
    elif role["Arn"] != scope.role:
        raise Refused(f"the role {role['Arn']} is from an earlier release, without a permissions boundary; no function of "
                      f"this deployment uses it. Delete it with undeploy and deploy again, or use it with --role {role['Arn']}")
    client.put_role_policy(RoleName=name, PolicyName=LOGS, PolicyDocument=json.dumps(purpose.permissions))
    return scope.role


def warn_if_unbounded(client, arn: str, deployment: str) -> None:
    """Roles of earlier releases have no path and no boundary; their functions keep them."""
    if arn.endswith(f":role/{deployment}") and "PermissionsBoundary" not in (_find(client, deployment) or {}):
        say(f"role {deployment}: from an earlier release, without a permissions boundary; replace it with: "
            "upgrade --new-functions NAME")


def delete(client, deployment: str) -> None:
    """Deletes the deployment's role, if this tool created it."""
    role = _find(client, deployment)
    if role is None or not _ours(role):
        return
    try:
        client.delete_role_policy(RoleName=deployment, PolicyName=LOGS)
    except client.exceptions.NoSuchEntityException:
        pass
    client.delete_role(RoleName=deployment)
    boundary = role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    say(f"role {deployment}: deleted" + (f"; its boundary {boundary} stays" if boundary else ""))


def _ensure_boundary(client, purpose: Purpose) -> None:
    scope = purpose.scope
    try:
        client.get_policy(PolicyArn=scope.boundary)
        return
    except client.exceptions.NoSuchEntityException:
        pass
    try:
        client.create_policy(
            Path=PATH,
            PolicyName=scope.boundary_name,
            Description="Permissions boundary of the Wallarm connector's role",
            PolicyDocument=json.dumps(purpose.permissions),
        )
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("AccessDenied", "AccessDeniedException"):
            raise
        raise Refused(
            f"the boundary {scope.boundary} does not exist, and you may not create it. An administrator creates it, once: "
            f"just policy DISTRIBUTION --account {scope.account} {purpose.options} > boundary.json "
            f"&& aws iam create-policy --path {PATH} --policy-name {scope.boundary_name} "
            "--policy-document file://boundary.json"
        ) from None
    client.get_waiter("policy_exists").wait(PolicyArn=scope.boundary)
    say(f"policy {scope.boundary_name}: created")


def _find(client, name: str) -> Optional[dict]:
    try:
        return client.get_role(RoleName=name)["Role"]
    except client.exceptions.NoSuchEntityException:
        return None


def _ours(role: dict) -> bool:
    return {"Key": TAG, "Value": role["RoleName"]} in role.get("Tags", [])
