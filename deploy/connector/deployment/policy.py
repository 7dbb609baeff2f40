"""IAM policies of a deployment: that of its users, and the permissions boundaries of its roles."""

from dataclasses import dataclass

from .naming import KINDS, function_name

#: Path of the role and of its boundary. Policies of users name it, so that no other role can be meant.
PATH = "/wallarm/"
TAG = "wallarm-connector"
SERVICES = ["lambda.amazonaws.com", "edgelambda.amazonaws.com"]

FUNCTION_ACTIONS = [
    "lambda:CreateFunction",
    "lambda:DeleteFunction",
    # The asterisks are part of the action names.
    "lambda:DisableReplication*",
    "lambda:EnableReplication*",
    "lambda:GetFunction",
    "lambda:GetFunctionConfiguration",
    "lambda:ListVersionsByFunction",
    "lambda:PublishVersion",
    "lambda:TagResource",
    "lambda:UpdateFunctionCode",
    "lambda:UpdateFunctionConfiguration",
]
DISTRIBUTION_ACTIONS = [
    "cloudfront:GetDistribution",
    "cloudfront:GetDistributionConfig",
    "cloudfront:UpdateDistribution",
]
DOCTOR_ACTIONS = ["cloudfront:GetCachePolicy", "cloudfront:GetOriginRequestPolicy"]
#: Actions that give the role permissions. Attaching managed policies, changing the boundary and changing who may
#: assume the role are not needed, and not allowed.
GRANTING_ACTIONS = ["iam:CreateRole", "iam:PutRolePolicy"]
REMOVING_ACTIONS = ["iam:DeleteRole", "iam:DeleteRolePolicy"]
LOG_ACTIONS = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]

FIREHOSE = "firehose.amazonaws.com"
STREAM_ACTIONS = [
    "firehose:CreateDeliveryStream",
    "firehose:DescribeDeliveryStream",
    "firehose:TagDeliveryStream",
    "firehose:UpdateDestination",
]
#: IAM knows no resources of these.
LIST_ACTIONS = ["logs:DescribeDeliveries", "logs:DescribeDeliveryDestinations", "logs:DescribeDeliverySources"]
#: Of Firehose, for the records that the node did not accept.
BUCKET_ACTIONS = [
    "s3:AbortMultipartUpload",
    "s3:GetBucketLocation",
    "s3:ListBucket",
    "s3:ListBucketMultipartUploads",
    "s3:PutObject",
]


@dataclass(frozen=True)
class Scope:
    """The account and the deployment that policies are limited to."""

    account: str
    deployment: str
    partition: str = "aws"

    def iam(self, resource: str) -> str:
        return f"arn:{self.partition}:iam::{self.account}:{resource}"

    @property
    def role(self) -> str:
        return self.iam(f"role{PATH}{self.deployment}")

    @property
    def boundary_name(self) -> str:
        return f"{self.deployment}-boundary"

    @property
    def boundary(self) -> str:
        return self.iam(f"policy{PATH}{self.boundary_name}")

    @property
    def log_groups(self) -> list:
        """In all regions: a function writes its log where it runs."""
        logs = f"arn:{self.partition}:logs:*:{self.account}:log-group:/aws/lambda/us-east-1"
        groups = [f"{logs}.{function_name(self.deployment, kind)}" for kind in KINDS]
        return groups + [f"{group}:*" for group in groups]


@dataclass(frozen=True)
class LogsScope:
    """The names of the access logs of a distribution."""

    scope: Scope
    distribution: str
    bucket: str
    source: str

    @property
    def role(self) -> Scope:
        """The scope of Firehose's role. No deployment has a name with a dot."""
        return Scope(self.scope.account, f"{self.scope.deployment}.logs", self.scope.partition)

    @property
    def stream(self) -> str:
        """The stream, and the delivery destination."""
        return f"{self.scope.deployment}-logs"

    @property
    def distribution_arn(self) -> str:
        return f"arn:{self.scope.partition}:cloudfront::{self.scope.account}:distribution/{self.distribution}"

    @property
    def bucket_arn(self) -> str:
        return f"arn:{self.scope.partition}:s3:::{self.bucket}"

    def regional(self, service: str, resource: str) -> str:
        return f"arn:{self.scope.partition}:{service}:us-east-1:{self.scope.account}:{resource}"


def deployer(scope: Scope, distribution: str) -> dict:
    """The permissions for deploy, upgrade, undeploy and describe, without --logs."""
    prefix = f"arn:{scope.partition}:lambda:us-east-1:{scope.account}:function"
    functions = [f"{prefix}:{function_name(scope.deployment, kind)}{version}" for kind in KINDS for version in ("", ":*")]
    cloudfront = f"arn:{scope.partition}:cloudfront::{scope.account}"
    replicators = [
        scope.iam("role/aws-service-role/replicator.lambda.amazonaws.com/*"),
        scope.iam("role/aws-service-role/logger.cloudfront.amazonaws.com/*"),
    ]
    policies = [f"{cloudfront}:cache-policy/*", f"{cloudfront}:origin-request-policy/*"]
    # The role of an earlier release, without path and boundary: it can be deleted, not created or extended. IAM looks up
    # a role that does not exist without its path, too.
    old_role = scope.iam(f"role/{scope.deployment}")
    return document(
        allow("Functions", FUNCTION_ACTIONS, functions),
        allow("Distribution", DISTRIBUTION_ACTIONS, [f"{cloudfront}:distribution/{distribution}"]),
        allow("PoliciesForTheDoctor", DOCTOR_ACTIONS, policies),
        allow("Role", ["iam:GetRole"], [scope.role, old_role]),
        allow("DeleteRole", REMOVING_ACTIONS, [scope.role]),
        allow("DeleteRoleOfAnEarlierRelease", REMOVING_ACTIONS, [old_role],
              StringEquals={f"aws:ResourceTag/{TAG}": scope.deployment}),
        allow("RoleWithBoundaryOnly", GRANTING_ACTIONS, [scope.role],
              StringEquals={"iam:PermissionsBoundary": scope.boundary}),
        allow("TagOfTheRole", ["iam:TagRole"], [scope.role], **{"ForAllValues:StringEquals": {"aws:TagKeys": [TAG]}}),
        allow("RoleForLambdaOnly", ["iam:PassRole"], [scope.role], StringEquals={"iam:PassedToService": SERVICES}),
        allow("Boundary", ["iam:GetPolicy"], [scope.boundary]),
        allow("FirstUseOfLambdaAtEdge", ["iam:CreateServiceLinkedRole"], replicators),
    )


def logs_deployer(logs_scope: LogsScope) -> dict:
    """The permissions for --logs of deploy and describe, in addition: together they can exceed IAM's limit of a policy."""
    role, source = logs_scope.role, logs_scope.regional("logs", f"delivery-source:{logs_scope.source}")
    destination = logs_scope.regional("logs", f"delivery-destination:{logs_scope.stream}")
    configs = f"arn:{role.partition}:cloudfront::{role.account}:realtime-log-config/*"
    slr = role.iam("role/aws-service-role/delivery.logs.amazonaws.com/AWSServiceRoleForLogDelivery")
    return document(
        allow("LogsStream", STREAM_ACTIONS, [logs_scope.regional("firehose", f"deliverystream/{logs_scope.stream}")]),
        allow("LogsSource", ["logs:PutDeliverySource"], [source]),
        allow("LogsDestination", ["logs:PutDeliveryDestination"], [destination]),
        # AWS names deliveries; a request must be allowed for its source and its destination, too.
        allow("LogsDelivery", ["logs:CreateDelivery", "logs:UpdateDeliveryConfiguration"],
              [logs_scope.regional("logs", "delivery:*"), source, destination]),
        allow("LogsOfTheDistribution", ["cloudfront:AllowVendedLogDeliveryForResource"], [logs_scope.distribution_arn]),
        allow("LogsList", LIST_ACTIONS, ["*"]),
        allow("LogsForTheDoctor", ["cloudfront:GetRealtimeLogConfig"], [configs]),
        # IAM looks up a role that does not exist without its path.
        allow("LogsRole", ["iam:GetRole"], [role.role, role.iam(f"role/{role.deployment}")]),
        allow("LogsRoleWithBoundaryOnly", GRANTING_ACTIONS, [role.role],
              StringEquals={"iam:PermissionsBoundary": role.boundary}),
        allow("TagOfTheLogsRole", ["iam:TagRole"], [role.role], **{"ForAllValues:StringEquals": {"aws:TagKeys": [TAG]}}),
        allow("LogsRoleForFirehoseOnly", ["iam:PassRole"], [role.role], StringEquals={"iam:PassedToService": FIREHOSE}),
        allow("LogsBoundary", ["iam:GetPolicy"], [role.boundary]),
        allow("FirstUseOfLogDelivery", ["iam:CreateServiceLinkedRole"], [slr]),
    )


def logs(scope: Scope) -> dict:
    """The permissions of the functions, and the boundary of their role: to write their logs."""
    return document(allow("Logs", LOG_ACTIONS, scope.log_groups))


def bucket(logs_scope: LogsScope) -> dict:
    """The permissions of Firehose, and the boundary of its role: to keep what the node did not accept."""
    resources = [logs_scope.bucket_arn, f"{logs_scope.bucket_arn}/{logs_scope.stream}/*"]
    return document(allow("Bucket", BUCKET_ACTIONS, resources))


def document(*statements: dict) -> dict:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(sid: str, actions: list, resources: list, **conditions: dict) -> dict:
    statement = {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}
    return {**statement, "Condition": conditions} if conditions else statement
