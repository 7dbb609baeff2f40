"""The permissions that calls to AWS need, and their evaluation.

moto enforces policies without conditions on identities, and most of its services name no resources. Calls are therefore
recorded, translated as AWS documents it (https://docs.aws.amazon.com/service-authorization/latest/reference/), and
evaluated by the npm package iam-simulate, which knows the resources and condition keys of each action.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ACCOUNT = "123456789012"
ROOT = Path(__file__).parents[3]
SIMULATOR = ROOT / "target/tools/iam-simulate"
SCRIPT = Path(__file__).with_name("simulate.cjs")


def simulate(policy: dict, requests: list, boundary: dict = None) -> list:
    """Whether each `(action, resource, context)` is allowed by the policy, within the boundary."""
    if not shutil.which("node") or not (SIMULATOR / "node_modules").is_dir():
        missing = "iam-simulate is missing; `just test-deploy` installs it with npm"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    given = {
        "policies": [policy],
        "boundaries": boundary and [boundary],
        "requests": [dict(zip(("action", "resource", "context"), request)) for request in requests],
    }
    command = ["node", str(SCRIPT), str(SIMULATOR)]
    done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, check=True)
    results = json.loads(done.stdout)
    errors = [(request, result["errors"]) for request, result in zip(requests, results) if result["errors"]]
    assert len(results) == len(requests) and not errors, errors
    return [result["decision"] == "Allowed" for result in results]


class Recorder:
    """Records the calls of boto3 clients as `(action, resource, context)`."""

    def __init__(self, roles: dict = ()):
        self.requests: list = []
        #: ARN, boundary and tag of the known roles by name.
        self.roles = dict(roles)

    def watch(self, *clients) -> None:
        for client in clients:
            client.meta.events.register("before-parameter-build", self.record, unique_id="recorder")

    def ignore(self, *clients) -> None:
        for client in clients:
            client.meta.events.unregister("before-parameter-build", self.record, unique_id="recorder")

    def record(self, params: dict, model, **_) -> None:
        service = model.service_model.service_name
        getattr(self, f"_{service}")(f"{service}:{model.name}", params)

    def _add(self, action: str, resource: str, **context) -> None:
        self.requests.append((action, resource, context))

    def _lambda(self, action: str, params: dict) -> None:
        name, version = params["FunctionName"], params.get("Qualifier")
        arn = name if name.startswith("arn:") else f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}"
        self._add(action, f"{arn}:{version}" if version else arn)
        if action == "lambda:CreateFunction":
            self._add("lambda:TagResource", arn)
            self._add("iam:PassRole", params["Role"], **{"iam:PassedToService": "lambda.amazonaws.com"})

    def _firehose(self, action: str, params: dict) -> None:
        arn = f"arn:aws:firehose:us-east-1:{ACCOUNT}:deliverystream/{params['DeliveryStreamName']}"
        self._add(action, arn)
        if action == "firehose:CreateDeliveryStream":
            self._add("firehose:TagDeliveryStream", arn)
        if "HttpEndpointDestinationConfiguration" in params:
            role = params["HttpEndpointDestinationConfiguration"]["RoleARN"]
            self._add("iam:PassRole", role, **{"iam:PassedToService": "firehose.amazonaws.com"})

    def _logs(self, action: str, params: dict) -> None:
        def arn(kind: str, name: str) -> str:
            return f"arn:aws:logs:us-east-1:{ACCOUNT}:{kind}:{name}"

        if action.startswith("logs:Describe"):
            self._add(action, "*")
        elif action == "logs:PutDeliverySource":
            self._add(action, arn("delivery-source", params["name"]))
            self._add("cloudfront:AllowVendedLogDeliveryForResource", params["resourceArn"])
        elif action == "logs:PutDeliveryDestination":
            self._add(action, arn("delivery-destination", params["name"]))
        elif action == "logs:CreateDelivery":
            self._add(action, arn("delivery", "abc"))
            self._add(action, arn("delivery-source", params["deliverySourceName"]))
            self._add(action, params["deliveryDestinationArn"])
            self._add("iam:CreateServiceLinkedRole", f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/"
                      "delivery.logs.amazonaws.com/AWSServiceRoleForLogDelivery")
        else:
            self._add(action, arn("delivery", params["id"]))

    def _cloudfront(self, action: str, params: dict) -> None:
        if action == "cloudfront:GetRealtimeLogConfig":
            self._add(action, params["ARN"])
            return
        kind = {"cloudfront:GetCachePolicy": "cache-policy", "cloudfront:GetOriginRequestPolicy": "origin-request-policy"}
        self._add(action, f"arn:aws:cloudfront::{ACCOUNT}:{kind.get(action, 'distribution')}/{params['Id']}")
        associations = params.get("DistributionConfig", {}).get("DefaultCacheBehavior", {}).get("LambdaFunctionAssociations", {})
        for association in associations.get("Items", []):
            self._add("lambda:EnableReplication", association["LambdaFunctionARN"])
            self._add("lambda:GetFunction", association["LambdaFunctionARN"])

    def _iam(self, action: str, params: dict) -> None:
        if policy := params.get("PolicyArn"):
            self._add(action, policy)
            return
        name = params["RoleName"]
        if action == "iam:CreateRole":
            arn = f"arn:aws:iam::{ACCOUNT}:role{params.get('Path', '/')}{name}"
            self.roles[name] = {"arn": arn, "boundary": params.get("PermissionsBoundary")}
            self._add("iam:TagRole", arn, **{"aws:TagKeys": [tag["Key"] for tag in params["Tags"]]})
        # IAM looks up a role that does not exist without its path.
        role = self.roles.get(name, {"arn": f"arn:aws:iam::{ACCOUNT}:role/{name}"})
        context = {}
        if action in ("iam:CreateRole", "iam:PutRolePolicy") and role.get("boundary"):
            context["iam:PermissionsBoundary"] = role["boundary"]
        if role.get("tag"):
            context["aws:ResourceTag/wallarm-connector"] = role["tag"]
        self._add(action, role["arn"], **context)

    def _sts(self, action: str, params: dict) -> None:
        """Allowed for everyone."""
