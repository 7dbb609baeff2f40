"""IAM: the execution role of both functions. It may only write their logs, in all regions."""

import json
from typing import Optional

from .functions import TAG
from .progress import Refused, say

SERVICES = ["lambda.amazonaws.com", "edgelambda.amazonaws.com"]
LOGS = "logs"


def trust() -> dict:
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": SERVICES}, "Action": "sts:AssumeRole"}],
    }


def may_log(role_arn: str, deployment: str) -> dict:
    _, partition, _, _, account, _ = role_arn.split(":", 5)
    group = f"arn:{partition}:logs:*:{account}:log-group:/aws/lambda/us-east-1.{deployment}-*"
    return {
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": [group, f"{group}:*"],
        }],
    }


def ensure(client, deployment: str) -> str:
    """Returns the ARN of the deployment's role; creates the role if needed."""
    role = _find(client, deployment)
    if role is None:
        role = client.create_role(
            RoleName=deployment,
            Description="Wallarm connector for Amazon CloudFront: writes the functions' logs",
            AssumeRolePolicyDocument=json.dumps(trust()),
            Tags=[{"Key": TAG, "Value": deployment}],
        )["Role"]
        say(f"role {deployment}: created")
    elif not _ours(role):
        raise Refused(f"the role {deployment} exists and was not created by this tool; "
                      f"use it with --role {role['Arn']}, or choose another --name")
    arn = role["Arn"]
    client.put_role_policy(RoleName=deployment, PolicyName=LOGS, PolicyDocument=json.dumps(may_log(arn, deployment)))
    return arn


def delete(client, deployment: str) -> None:
    """Deletes the deployment's role, if this tool created it."""
    role = _find(client, deployment)
    if role is None or not _ours(role):
        return
    client.delete_role_policy(RoleName=deployment, PolicyName=LOGS)
    client.delete_role(RoleName=deployment)
    say(f"role {deployment}: deleted")


def _find(client, name: str) -> Optional[dict]:
    try:
        return client.get_role(RoleName=name)["Role"]
    except client.exceptions.NoSuchEntityException:
        return None


def _ours(role: dict) -> bool:
    return {"Key": TAG, "Value": role["RoleName"]} in role.get("Tags", [])
