"""Documents for `wallarm-connector doctor`, in the format of AWS's tools. Read-only."""

from botocore.exceptions import ClientError

from .access_logs import pages, sources
from .distribution import associations, behaviors
from .progress import warn
from .steps import Account


def documents(account: Account, distribution_id: str, logs: bool = False) -> list:
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
    if logs:
        for arn in _distinct(behavior.get("RealtimeLogConfigArn") for behavior in behavior_list):
            add(arn, account.cloudfront.get_realtime_log_config, ARN=arn)
        _add_deliveries(account, distribution_id, add)
    return [{key: value for key, value in document.items() if key != "ResponseMetadata"} for document in found]


def _add_deliveries(account: Account, distribution_id: str, add) -> None:
    """The log deliveries of the distribution, and their streams."""

    def listed(name: str, items) -> list:
        return add(name, lambda: {name: list(items)}).get(name, [])

    names = {it["name"] for it in listed("deliverySources", sources(account.logs, distribution_id))}
    its = (it for it in pages(account.logs, "deliveries") if it["deliverySourceName"] in names)
    arns = {it["deliveryDestinationArn"] for it in listed("deliveries", its)}
    targets = (it for it in pages(account.logs, "delivery_destinations") if it["arn"] in arns)
    for destination in listed("deliveryDestinations", targets):
        arn = destination["deliveryDestinationConfiguration"]["destinationResourceArn"]
        if ":deliverystream/" in arn:
            add(arn, account.firehose.describe_delivery_stream, DeliveryStreamName=arn.rsplit("/", 1)[-1])


def _distinct(values) -> list:
    return list(dict.fromkeys(value for value in values if value))
