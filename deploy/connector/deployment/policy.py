"""IAM policy with the permissions for deploy, upgrade, undeploy and describe."""

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
ROLE_ACTIONS = [
    "iam:CreateRole",
    "iam:DeleteRole",
    "iam:DeleteRolePolicy",
    "iam:GetRole",
    "iam:PutRolePolicy",
    "iam:TagRole",
]
LAMBDA_SERVICES = ["lambda.amazonaws.com", "edgelambda.amazonaws.com"]


def deployer(account: str, distribution: str, deployment: str, partition: str = "aws") -> dict:
    function = f"arn:{partition}:lambda:us-east-1:{account}:function:{deployment}-*"
    cloudfront = f"arn:{partition}:cloudfront::{account}"
    role = f"arn:{partition}:iam::{account}:role/{deployment}"
    service_roles = f"arn:{partition}:iam::{account}:role/aws-service-role"
    replicators = [
        f"{service_roles}/replicator.lambda.amazonaws.com/*",
        f"{service_roles}/logger.cloudfront.amazonaws.com/*",
    ]
    policies = [f"{cloudfront}:cache-policy/*", f"{cloudfront}:origin-request-policy/*"]
    pass_role = allow("RoleForLambdaOnly", ["iam:PassRole"], [role])
    pass_role["Condition"] = {"StringEquals": {"iam:PassedToService": LAMBDA_SERVICES}}
    return {
        "Version": "2012-10-17",
        "Statement": [
            allow("Functions", FUNCTION_ACTIONS, [function]),
            allow("Distribution", DISTRIBUTION_ACTIONS, [f"{cloudfront}:distribution/{distribution}"]),
            allow("PoliciesForTheDoctor", DOCTOR_ACTIONS, policies),
            allow("Role", ROLE_ACTIONS, [role]),
            pass_role,
            allow("FirstUseOfLambdaAtEdge", ["iam:CreateServiceLinkedRole"], replicators),
        ],
    }


def allow(sid: str, actions: list[str], resources: list[str]) -> dict:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}
