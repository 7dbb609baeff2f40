"""CloudFront: the function associations of a distribution. Nothing else is changed.

CloudFront accepts only whole configurations based on the current one. Each change is therefore a function that edits a
configuration and returns its changes; after a conflict it is applied again to the newest configuration.
"""

from collections.abc import Iterator
from typing import Callable, Optional

from botocore.exceptions import ClientError

from .functions import name_of
from .progress import Refused, poll, say

ATTEMPTS = 5
#: Seconds. CloudFront takes some minutes to deploy a distribution.
DEPLOYED_WAIT = 1800


def behaviors(config: dict) -> Iterator[tuple]:
    """Path patterns and behaviors by precedence; the default behavior is `*`."""
    for behavior in config.get("CacheBehaviors", {}).get("Items") or []:
        yield behavior["PathPattern"], behavior
    yield "*", config["DefaultCacheBehavior"]


def associations(behavior: dict) -> list:
    return list(behavior.get("LambdaFunctionAssociations", {}).get("Items") or [])


class Distribution:
    def __init__(self, client, distribution_id: str):
        self.client = client
        self.id = distribution_id

    def config(self) -> dict:
        return self.client.get_distribution_config(Id=self.id)["DistributionConfig"]

    def change(self, edit: Callable[[dict], list]) -> None:
        """Applies the edit, which returns descriptions of its changes. Without changes, nothing is sent."""
        for attempt in range(1, ATTEMPTS + 1):
            response = self.client.get_distribution_config(Id=self.id)
            config = response["DistributionConfig"]
            changes = edit(config)
            if not changes:
                say(f"{self.id}: nothing to change")
                return
            try:
                self.client.update_distribution(Id=self.id, IfMatch=response["ETag"], DistributionConfig=config)
            except ClientError as error:
                stale = error.response["Error"]["Code"] in ("PreconditionFailed", "InvalidIfMatchVersion")
                if not stale or attempt == ATTEMPTS:
                    raise
                say(f"{self.id}: changed by another client; applying the change to the new configuration")
                continue
            for line in changes:
                say(f"{self.id}: {line}")
            return

    def wait_deployed(self) -> None:
        """Waits until CloudFront has deployed the newest configuration."""

        def deployed() -> Optional[bool]:
            status = self.client.get_distribution(Id=self.id)["Distribution"]["Status"]
            say(f"{self.id}: {status}")
            return True if status == "Deployed" else None

        if poll(deployed, every=20, limit=DEPLOYED_WAIT) is None:
            raise Refused(f"{self.id} is still being deployed after {DEPLOYED_WAIT // 60} minutes; "
                          "run the same command again later to continue")


def attach(config: dict, pattern: str, wanted: dict, replace: bool) -> list:
    """Associates `{event: version's ARN}` with one behavior. Other functions are replaced only with `replace`."""
    behavior = next((behavior for known, behavior in behaviors(config) if known == pattern), None)
    if behavior is None:
        known = ", ".join(pattern for pattern, _ in behaviors(config))
        raise Refused(f"the distribution has no behavior for {pattern}; it has {known}")
    _no_cloudfront_functions(pattern, behavior, wanted)
    names = {name_of(arn) for arn in wanted.values()}
    current = associations(behavior)
    result, changes = [], []
    for association in current:
        event, arn = association["EventType"], association["LambdaFunctionARN"]
        ours = name_of(arn) in names
        if event not in wanted and not ours:
            result.append(association)
        elif event not in wanted:
            changes.append(f"{pattern} {event}: {arn} removed, the function moves to another trigger")
        elif association == _association(event, wanted[event]):
            result.append(association)
        elif ours or replace:
            changes.append(f"{pattern} {event}: {arn} replaced")
        else:
            raise Refused(f"{arn} is attached to {event} of {pattern}, and a behavior allows one function per trigger; "
                          "use --replace to replace it, or --stages for the other side")
    for event, arn in wanted.items():
        association = _association(event, arn)
        if association not in result:
            result.append(association)
            changes.append(f"{pattern} {event}: {arn} attached{', with bodies' if association['IncludeBody'] else ''}")
    if changes:
        _store(behavior, result)
    return changes


def check_stages(config: dict, pattern: str, name: str, has_two: bool) -> None:
    """Other behaviors with the function have as many stages: its parameters are those of one or of two."""
    for known, behavior in behaviors(config):
        events = [it["EventType"] for it in associations(behavior) if name_of(it["LambdaFunctionARN"]) == name]
        if known != pattern and events and (len(events) > 1) != has_two:
            raise Refused(f"{name} is attached to {' and '.join(events)} of {known}, and one function has one or two stages in "
                          "all behaviors; use the same --stages, or another --name")


def move(config: dict, versions: dict) -> list:
    """Moves associations to the versions in `{name: version's ARN}`; triggers and bodies stay unchanged."""
    changes = []
    for pattern, behavior in behaviors(config):
        current = associations(behavior)
        for association in current:
            old = association["LambdaFunctionARN"]
            new = versions.get(name_of(old), old)
            if new != old:
                association["LambdaFunctionARN"] = new
                changes.append(f"{pattern} {association['EventType']}: {old} replaced by {new}")
    return changes


def detach(config: dict, names: set) -> list:
    """Removes functions from all behaviors."""
    changes = []
    for pattern, behavior in behaviors(config):
        current = associations(behavior)
        gone = [it for it in current if name_of(it["LambdaFunctionARN"]) in names]
        if gone:
            _store(behavior, [it for it in current if it not in gone])
            changes += [f"{pattern} {it['EventType']}: {it['LambdaFunctionARN']} detached" for it in gone]
    return changes


def attached(config: dict, names: set) -> list:
    """The behaviors and triggers that functions are attached to, as text."""
    return [
        f"{pattern} {association['EventType']}"
        for pattern, behavior in behaviors(config)
        for association in associations(behavior)
        if name_of(association["LambdaFunctionARN"]) in names
    ]


def _association(event: str, arn: str) -> dict:
    # CloudFront does not allow bodies at response triggers.
    return {"LambdaFunctionARN": arn, "EventType": event, "IncludeBody": event.endswith("-request")}


def _store(behavior: dict, items: list) -> None:
    behavior["LambdaFunctionAssociations"] = {"Quantity": len(items), **({"Items": items} if items else {})}


def _no_cloudfront_functions(pattern: str, behavior: dict, wanted: dict) -> None:
    functions = behavior.get("FunctionAssociations", {}).get("Items") or []
    if functions and any(event.startswith("viewer-") for event in wanted):
        arn, event = functions[0]["FunctionARN"], functions[0]["EventType"]
        raise Refused(f"the CloudFront function {arn} is attached to {event} of {pattern}; CloudFront does not allow "
                      "Lambda functions at viewer triggers in addition: use --stages origin")
