"""Documents for `wallarm-connector doctor`, in the format of AWS's tools. Read-only."""

from botocore.exceptions import ClientError

from .distribution import associations, behaviors
from .progress import warn
from .steps import Account


def documents(account: Account, distribution_id: str) -> list:
    distribution = account.cloudfront.get_distribution(Id=distribution_id)
    found = [distribution]
    config = distribution["Distribution"]["DistributionConfig"]
    behavior_list = [behavior for _, behavior in behaviors(config)]

    def add(what: str, read, **arguments) -> dict:
        try:
            found.append(read(**arguments))
        except ClientError as error:
            reason = error.response["Error"]
            warn(f"cannot read {what}: {reason.get('Code')} {reason.get('Message', '')}".rstrip())
            return {}
        return found[-1]

    for policy_id in _distinct(behavior.get("CachePolicyId") for behavior in behavior_list):
        add(f"cache policy {policy_id}", account.cloudfront.get_cache_policy, Id=policy_id)
    for policy_id in _distinct(behavior.get("OriginRequestPolicyId") for behavior in behavior_list):
        add(f"origin request policy {policy_id}", account.cloudfront.get_origin_request_policy, Id=policy_id)
    arns = _distinct(it["LambdaFunctionARN"] for behavior in behavior_list for it in associations(behavior))
    roles = [add(arn, account.functions.get_function_configuration, FunctionName=arn).get("Role") for arn in arns]
    for arn in _distinct(roles):
        add(arn, account.roles.get_role, RoleName=arn.rsplit("/", 1)[-1])
    return [{key: value for key, value in document.items() if key != "ResponseMetadata"} for document in found]


def _distinct(values) -> list:
    return list(dict.fromkeys(value for value in values if value))
