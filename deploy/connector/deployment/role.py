"""IAM: the execution role of both functions. It may only write their logs, and its boundary allows no more."""

import json
from typing import Optional

from botocore.exceptions import ClientError

from .policy import PATH, SERVICES, TAG, Scope, document, logs
from .progress import Refused, say

LOGS = "logs"


def trust() -> dict:
    return document({"Effect": "Allow", "Principal": {"Service": SERVICES}, "Action": "sts:AssumeRole"})


def ensure(client, scope: Scope) -> str:
    """Returns the ARN of the deployment's role; creates the role, and its boundary, if needed."""
    name = scope.deployment
    role = _find(client, name)
    if role is None:
        _ensure_boundary(client, scope)
        client.create_role(
            Path=PATH,
            RoleName=name,
            Description="Wallarm connector for Amazon CloudFront: writes the functions' logs",
            AssumeRolePolicyDocument=json.dumps(trust()),
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
    client.put_role_policy(RoleName=name, PolicyName=LOGS, PolicyDocument=json.dumps(logs(scope)))
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


def _ensure_boundary(client, scope: Scope) -> None:
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
            PolicyDocument=json.dumps(logs(scope)),
        )
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("AccessDenied", "AccessDeniedException"):
            raise
        raise Refused(
            f"the boundary {scope.boundary} does not exist, and you may not create it. An administrator creates it, once: "
            f"just policy DISTRIBUTION --account {scope.account} --name {scope.deployment} --only boundary > boundary.json "
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
