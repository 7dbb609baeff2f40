"""Steps of each command. All checks run before the first change."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

import boto3

from . import bundle, distribution, functions, role
from .access_logs import AccessLogs, Node
from .bundle import Tool
from .distribution import Distribution
from .functions import Settings
from .naming import KINDS, function_name, function_names
from .policy import LogsScope, Scope
from .progress import Refused, say


class Account:
    """AWS clients. Lambda@Edge functions are always in us-east-1."""

    def __init__(self) -> None:
        self.functions = boto3.client("lambda", region_name="us-east-1")
        self.cloudfront = boto3.client("cloudfront", region_name="us-east-1")
        self.roles = boto3.client("iam", region_name="us-east-1")
        self.identity = boto3.client("sts", region_name="us-east-1")
        self.logs = boto3.client("logs", region_name="us-east-1")
        self.firehose = boto3.client("firehose", region_name="us-east-1")

    def distribution(self, distribution_id: str) -> Distribution:
        return Distribution(self.cloudfront, distribution_id)

    def ensure_role(self, deployment: str) -> str:
        """The ARN of the deployment's own role."""
        return role.ensure(self.roles, role.of_functions(self.scope(deployment)))

    def scope(self, deployment: str) -> Scope:
        caller = self.identity.get_caller_identity()
        return Scope(caller["Account"], deployment, partition=caller["Arn"].split(":")[1])


@dataclass(frozen=True)
class Logs:
    """Access logs of a distribution, to be delivered to a node."""

    node: Node
    scope: LogsScope

    def check(self, account: Account) -> None:
        AccessLogs(account.logs, account.firehose, self.scope).check()

    def ensure(self, account: Account) -> None:
        arn = role.ensure(account.roles, role.of_firehose(self.scope))
        AccessLogs(account.logs, account.firehose, self.scope).ensure(self.node, arn)


@dataclass(frozen=True)
class Code:
    """Source of the functions' code and parameters."""

    tool: Tool
    bundles: Path
    assignments: list = field(default_factory=list)
    settings: Settings = Settings()


def deploy(
    account: Account,
    target: Distribution,
    deployment: str,
    code: Code,
    events: dict,
    behavior: str,
    replace: bool,
    role_arn: Optional[str],
    wait: bool,
    logs: Optional[Logs] = None,
) -> None:
    """Creates or updates the functions for `{event: kind}`, and attaches them to one behavior; delivers access logs."""
    kinds = [kind for kind in KINDS if kind in events.values()]
    found = {kind: functions.find(account.functions, function_name(deployment, kind)) for kind in kinds}
    placeholder = {
        event: f"arn:aws:lambda:us-east-1:0:function:{function_name(deployment, kind)}:0" for event, kind in events.items()
    }
    config = target.config()
    distribution.attach(config, behavior, placeholder, replace)
    has_stages = list(events.values()).count("request") > 1
    distribution.check_stages(config, behavior, function_name(deployment, "request"), has_stages)
    zips = {
        kind: bundle.prepare(code.tool, code.bundles, kind, found[kind], code.assignments,
                             stages=has_stages if kind == "request" else None)
        for kind in kinds
    }
    if logs:
        logs.check(account)
    role_arn = role_arn or _role_in_use(found) or account.ensure_role(deployment)
    role.warn_if_unbounded(account.roles, role_arn, deployment)
    versions = {
        kind: functions.ensure(
            account.functions, function_name(deployment, kind), zips[kind], role_arn, code.settings, deployment
        )
        for kind in kinds
    }
    arns = {event: versions[kind] for event, kind in events.items()}
    target.change(lambda config: distribution.attach(config, behavior, arns, replace))
    if logs:
        logs.ensure(account)
    if wait:
        target.wait_deployed()


def upgrade_in_place(account: Account, target: Distribution, deployment: str, code: Code, wait: bool) -> None:
    """Updates the code of the functions and moves their associations to the new versions."""
    found = _existing(account, deployment)
    if not found:
        raise Refused(f"the functions {deployment}-request and {deployment}-response do not exist; "
                      "create them with deploy, or select others with --name")
    zips = {kind: bundle.prepare(code.tool, code.bundles, kind, it, code.assignments) for kind, it in found.items()}
    versions = {}
    for kind, function in found.items():
        name = function_name(deployment, kind)
        versions[name] = functions.ensure(
            account.functions, name, zips[kind], function["Configuration"]["Role"], code.settings, deployment
        )
    role.warn_if_unbounded(account.roles, _role_in_use(found), deployment)
    _relink(target, versions, set(versions), wait)


def upgrade_to_new(
    account: Account,
    target: Distribution,
    old: str,
    new: str,
    code: Code,
    role_arn: Optional[str],
    wait: bool,
    replicas_wait: int,
) -> bool:
    """Replaces the functions by new ones with the same values. False if the old ones cannot be deleted yet."""
    before, after = _existing(account, old), _existing(account, new)
    if not before and not after:
        raise Refused(f"the functions {old}-request and {old}-response do not exist")
    sources = {**before, **after}
    zips = {kind: bundle.prepare(code.tool, code.bundles, kind, it, code.assignments) for kind, it in sources.items()}
    role_arn = role_arn or _role_in_use(after) or _foreign_role(before, old) or account.ensure_role(new)
    versions = {}
    for kind in sources:
        arn = functions.ensure(account.functions, function_name(new, kind), zips[kind], role_arn, code.settings, new)
        versions[function_name(old, kind)] = versions[function_name(new, kind)] = arn
    _relink(target, versions, function_names(new), wait or bool(before))
    return not before or _remove(account, old, replicas_wait)


def undeploy(account: Account, target: Distribution, deployment: str, replicas_wait: int) -> bool:
    """Detaches the functions and deletes them. False if CloudFront still has replicas."""
    target.change(lambda config: distribution.detach(config, function_names(deployment)))
    target.wait_deployed()
    return _remove(account, deployment, replicas_wait)


def _relink(target: Distribution, versions: dict, names: set, wait: bool) -> None:
    target.change(lambda config: distribution.move(config, versions))
    attached = distribution.attached(target.config(), names)
    say(f"{target.id}: attached at {', '.join(attached)}" if attached
        else f"{target.id}: the functions are not attached to any behavior; attach them with deploy")
    if wait:
        target.wait_deployed()


def _remove(account: Account, deployment: str, replicas_wait: int) -> bool:
    remaining = []
    for kind in KINDS:
        name = function_name(deployment, kind)
        if not functions.delete(account.functions, name, 0 if remaining else replicas_wait):
            remaining.append(name)
    if remaining:
        say(f"Not deleted yet: {', '.join(remaining)}. They are detached and no longer run, but CloudFront keeps replicas for "
            "some hours after the last association is removed. Run the same command again later, or keep "
            "them: they cause no costs.")
        return False
    role.delete(account.roles, deployment)
    return True


def _existing(account: Account, deployment: str) -> dict:
    found = {kind: functions.find(account.functions, function_name(deployment, kind)) for kind in KINDS}
    return {kind: function for kind, function in found.items() if function}


def _role_in_use(found: dict) -> Optional[str]:
    return next((function["Configuration"]["Role"] for function in found.values() if function), None)


def _foreign_role(found: dict, deployment: str) -> Optional[str]:
    """The role of functions that use a role not created for this deployment."""
    arn = _role_in_use(found)
    return None if arn is None or arn.rsplit("/", 1)[-1] == deployment else arn
