"""The policies that `policy` prints: what they allow, and what a hostile holder of the first cannot do."""

import json

import pytest
from parliament import analyze_policy_string, enhance_finding

from conftest import behavior
from deployment import role
from deployment.cli import main
from permissions import ACCOUNT, Recorder, simulate

NAME = "wallarm-connector"
IAM = f"arn:aws:iam::{ACCOUNT}"
ROLE = f"{IAM}:role/wallarm/{NAME}"
OLD_ROLE = f"{IAM}:role/{NAME}"
BOUNDARY = f"{IAM}:policy/wallarm/{NAME}-boundary"
BOUNDED = {"iam:PermissionsBoundary": BOUNDARY}
FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{NAME}-request"
TO_LAMBDA = {"iam:PassedToService": "lambda.amazonaws.com"}
LOG_GROUP = f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/aws/lambda/us-east-1.{NAME}-request"
ADMINISTRATOR = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


@pytest.fixture
def printed(capsys):
    """Prints the policies of a distribution and a deployment."""

    def run(distribution: str, *options: str) -> dict:
        assert main(["policy", distribution, "--account", ACCOUNT, *options]) == 0
        return json.loads(capsys.readouterr().out)

    return run


def test_parliament_has_no_finding_of_medium_severity_or_above(printed):
    for name, document in printed("E2EXAMPLE").items():
        findings = map(enhance_finding, analyze_policy_string(json.dumps(document)).findings)
        assert [str(it) for it in findings if it.severity not in ("MUTED", "LOW")] == [], name


def test_policies_are_limited_to_the_account_and_never_to_all_actions_or_resources(printed):
    for document in printed("E2EXAMPLE").values():
        for statement in document["Statement"]:
            assert statement["Effect"] == "Allow"
            assert all(ACCOUNT in resource for resource in statement["Resource"])
            assert not any(action.endswith(":*") for action in statement["Action"])


def test_each_document_can_be_printed_alone(printed):
    both = printed("E2EXAMPLE")
    assert printed("E2EXAMPLE", "--only", "boundary") == both["boundary"]
    assert printed("E2EXAMPLE", "--only", "deployer") == both["deployer"]


HOSTILE = {
    "a role without the boundary": ("iam:CreateRole", ROLE, {}),
    "a role with another boundary": ("iam:CreateRole", ROLE, {"iam:PermissionsBoundary": f"{IAM}:policy/everything"}),
    "a role with another name": ("iam:CreateRole", f"{IAM}:role/wallarm/administrator", BOUNDED),
    "a longer name": ("iam:CreateRole", f"{ROLE}-2", BOUNDED),
    "a role outside the path": ("iam:CreateRole", OLD_ROLE, BOUNDED),
    "permissions for a role without the boundary": ("iam:PutRolePolicy", ROLE, {}),
    "permissions for the role of an earlier release": ("iam:PutRolePolicy", OLD_ROLE, {}),
    "permissions for another role": ("iam:PutRolePolicy", f"{IAM}:role/administrator", BOUNDED),
    "a managed policy": ("iam:AttachRolePolicy", ROLE, {**BOUNDED, "iam:PolicyARN": "arn:aws:iam::aws:policy/AdministratorAccess"}),
    "no boundary": ("iam:DeleteRolePermissionsBoundary", ROLE, BOUNDED),
    "a wider boundary": ("iam:PutRolePermissionsBoundary", ROLE, {"iam:PermissionsBoundary": f"{IAM}:policy/everything"}),
    "another trust policy": ("iam:UpdateAssumeRolePolicy", ROLE, {}),
    "a new version of the boundary": ("iam:CreatePolicyVersion", BOUNDARY, {}),
    "a boundary of one's own": ("iam:CreatePolicy", BOUNDARY, {}),
    "another boundary in its place": ("iam:DeletePolicy", BOUNDARY, {}),
    "other tags": ("iam:TagRole", ROLE, {"aws:TagKeys": [NAME, "team"]}),
    "the tag on the role of others": ("iam:TagRole", OLD_ROLE, {"aws:TagKeys": [NAME]}),
    "deletion of a role of others": ("iam:DeleteRole", OLD_ROLE, {}),
    "the role for EC2": ("iam:PassRole", ROLE, {"iam:PassedToService": "ec2.amazonaws.com"}),
    "another role for Lambda": ("iam:PassRole", f"{IAM}:role/administrator", TO_LAMBDA),
    "another function": ("lambda:UpdateFunctionCode", f"{FUNCTION}er", {}),
    "a function of a similar deployment": ("lambda:UpdateFunctionCode", f"{FUNCTION.replace('-request', '-2-request')}", {}),
    "another distribution": ("cloudfront:UpdateDistribution", f"arn:aws:cloudfront::{ACCOUNT}:distribution/E3OTHER", {}),
}


def test_a_hostile_deployer_cannot_gain_permissions(printed):
    deployer = printed("E2EXAMPLE")["deployer"]
    allowed = simulate(deployer, list(HOSTILE.values()))
    assert [what for what, granted in zip(HOSTILE, allowed) if granted] == []


def test_the_boundary_allows_an_administrator_role_only_its_logs(printed):
    boundary = printed("E2EXAMPLE")["boundary"]
    logs = [("logs:CreateLogGroup", LOG_GROUP, {}), ("logs:PutLogEvents", f"{LOG_GROUP}:log-stream:1", {})]
    others = [
        ("logs:CreateLogGroup", f"{LOG_GROUP}er", {}),
        ("logs:DeleteLogGroup", LOG_GROUP, {}),
        ("s3:GetObject", "arn:aws:s3:::bucket/key", {}),
        ("iam:CreateRole", ROLE, BOUNDED),
        ("lambda:InvokeFunction", FUNCTION, {}),
    ]
    assert simulate(ADMINISTRATOR, logs + others, boundary) == [True] * len(logs) + [False] * len(others)
    assert simulate(boundary, logs) == [True] * len(logs)


def test_the_deployer_policy_allows_every_call_of_the_commands(in_stand_in, releases, printed):
    distribution = in_stand_in.distribution(DefaultCacheBehavior=behavior(OriginRequestPolicyId="ours"))
    with_permissions(in_stand_in)
    recorder = Recorder()
    watched = (in_stand_in.lambda_, in_stand_in.cloudfront, in_stand_in.iam)
    recorder.watch(*watched)
    try:
        in_stand_in.deploy(distribution, releases.deployed)
        in_stand_in.run("describe", distribution)
        in_stand_in.upgrade(distribution, releases.new, "--runtime", "python3.14")
        in_stand_in.run("undeploy", distribution)
    finally:
        recorder.ignore(*watched)
    assert_allowed(printed(distribution)["deployer"], recorder)
    used = {action for action, _, _ in recorder.requests}
    assert {"iam:CreateRole", "iam:PassRole", "iam:DeleteRole", "lambda:EnableReplication"} <= used


def test_the_deployer_policies_allow_to_replace_a_deployment_of_an_earlier_release(in_stand_in, releases, printed):
    distribution = in_stand_in.distribution()
    with_permissions(in_stand_in, "second")
    old_deployment(in_stand_in, distribution, releases)
    recorder = Recorder({NAME: {"arn": OLD_ROLE, "tag": NAME}})
    watched = (in_stand_in.lambda_, in_stand_in.cloudfront, in_stand_in.iam)
    recorder.watch(*watched)
    try:
        assert "without a permissions boundary" in in_stand_in.upgrade(distribution, releases.new)
        in_stand_in.upgrade(distribution, releases.new, "--new-functions", "second")
    finally:
        recorder.ignore(*watched)
    deployers = [printed(distribution, "--name", name)["deployer"] for name in (NAME, "second")]
    statements = [statement for document in deployers for statement in document["Statement"]]
    for n, statement in enumerate(statements):
        statement["Sid"] = f"S{n}"
    assert_allowed({**deployers[0], "Statement": statements}, recorder)
    [second] = in_stand_in.iam.list_roles()["Roles"]
    assert second["Arn"] == f"{IAM}:role/wallarm/second"


def assert_allowed(policy: dict, recorder: Recorder) -> None:
    allowed = simulate(policy, recorder.requests)
    assert [request for request, granted in zip(recorder.requests, allowed) if not granted] == []


def with_permissions(account, name: str = NAME) -> None:
    """Creates the boundary, as an administrator does."""
    account.iam.create_policy(Path="/wallarm/", PolicyName=f"{name}-boundary", PolicyDocument=json.dumps(ADMINISTRATOR))


def old_deployment(account, distribution: str, releases) -> None:
    """Functions with a role without path and boundary."""
    tags = [{"Key": NAME, "Value": NAME}]
    account.iam.create_role(RoleName=NAME, AssumeRolePolicyDocument=json.dumps(role.trust()), Tags=tags)
    account.iam.put_role_policy(RoleName=NAME, PolicyName="logs", PolicyDocument=json.dumps(ADMINISTRATOR))
    account.deploy(distribution, releases.deployed, "--role", OLD_ROLE)
