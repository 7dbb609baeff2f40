"""IAM policy with the permissions for deploy, upgrade, undeploy and describe."""


def deployer(account: str, distribution: str, deployment: str, partition: str = "aws") -> dict:
    function = f"arn:{partition}:lambda:us-east-1:{account}:function:{deployment}-*"
    role = f"arn:{partition}:iam::{account}:role/{deployment}"
    service_roles = f"arn:{partition}:iam::{account}:role/aws-service-role"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Functions",
                "Effect": "Allow",
                "Action": [
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
                ],
                "Resource": [function],
            },
            {
                "Sid": "Distribution",
                "Effect": "Allow",
                "Action": [
                    "cloudfront:GetDistribution",
                    "cloudfront:GetDistributionConfig",
                    "cloudfront:UpdateDistribution",
                ],
                "Resource": [f"arn:{partition}:cloudfront::{account}:distribution/{distribution}"],
            },
            {
                "Sid": "PoliciesForTheDoctor",
                "Effect": "Allow",
                "Action": ["cloudfront:GetCachePolicy", "cloudfront:GetOriginRequestPolicy"],
                "Resource": [
                    f"arn:{partition}:cloudfront::{account}:cache-policy/*",
                    f"arn:{partition}:cloudfront::{account}:origin-request-policy/*",
                ],
            },
            {
                "Sid": "Role",
                "Effect": "Allow",
                "Action": [
                    "iam:CreateRole",
                    "iam:DeleteRole",
                    "iam:DeleteRolePolicy",
                    "iam:GetRole",
                    "iam:PutRolePolicy",
                    "iam:TagRole",
                ],
                "Resource": [role],
            },
            {
                "Sid": "RoleForLambdaOnly",
                "Effect": "Allow",
                "Action": ["iam:PassRole"],
                "Resource": [role],
                "Condition": {"StringEquals": {"iam:PassedToService": ["lambda.amazonaws.com", "edgelambda.amazonaws.com"]}},
            },
            {
                "Sid": "FirstUseOfLambdaAtEdge",
                "Effect": "Allow",
                "Action": ["iam:CreateServiceLinkedRole"],
                "Resource": [
                    f"{service_roles}/replicator.lambda.amazonaws.com/*",
                    f"{service_roles}/logger.cloudfront.amazonaws.com/*",
                ],
            },
        ],
    }
