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


WITH_LOGS = ("--logs-bucket", "shop-logs")


@pytest.mark.parametrize("options", [(), WITH_LOGS])
def test_parliament_has_no_finding_of_medium_severity_or_above(printed, options):
    for name, document in printed("E2EXAMPLE", *options).items():
        findings = map(enhance_finding, analyze_policy_string(json.dumps(document)).findings)
        assert [str(it) for it in findings if it.severity not in ("MUTED", "LOW")] == [], name


def test_policies_are_limited_to_the_account_and_never_to_all_actions_or_resources(printed):
    for document in printed("E2EXAMPLE").values():
        for statement in document["Statement"]:
            assert statement["Effect"] == "Allow"
            assert all(ACCOUNT in resource for resource in statement["Resource"])
            assert not any(action.endswith(":*") for action in statement["Action"])


def test_access_logs_add_statements_with_exact_names(printed):
    without, documents = printed("E2EXAMPLE"), printed("E2EXAMPLE", *WITH_LOGS)
    assert {name: documents[name] for name in without} == without
    added = documents["logs-deployer"]["Statement"]
    assert not any("*" in action for statement in added for action in statement["Action"])
    # AWS names deliveries, and has no resources for lists; configurations are only read.
    wide = {statement["Sid"]: [it for it in statement["Resource"] if "*" in it] for statement in added}
    assert {sid: resources for sid, resources in wide.items() if resources} == {
        "LogsDelivery": [f"arn:aws:logs:us-east-1:{ACCOUNT}:delivery:*"],
        "LogsList": ["*"],
        "LogsForTheDoctor": [f"arn:aws:cloudfront::{ACCOUNT}:realtime-log-config/*"],
    }
    lists = next(statement for statement in added if statement["Sid"] == "LogsList")["Action"]
    assert lists == sorted(f"logs:Describe{it}" for it in ("Deliveries", "DeliverySources", "DeliveryDestinations"))
    assert printed("E2EXAMPLE", *WITH_LOGS, "--only", "logs-boundary") == documents["logs-boundary"]


@pytest.mark.parametrize("name", [NAME, "n" * 55])
def test_documents_fit_into_managed_policies(printed, name):
    for document in printed("E1234567890123", "--name", name, "--logs-bucket", "b" * 63).values():
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html, without white space.
        assert len(json.dumps(document, separators=(",", ":"))) <= 6144


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


LOGS_ROLE = f"{IAM}:role/wallarm/{NAME}.logs"
LOGS_BOUNDED = {"iam:PermissionsBoundary": f"{IAM}:policy/wallarm/{NAME}.logs-boundary"}
TO_FIREHOSE = {"iam:PassedToService": "firehose.amazonaws.com"}
STREAMS = f"arn:aws:firehose:us-east-1:{ACCOUNT}:deliverystream"
LOGS = f"arn:aws:logs:us-east-1:{ACCOUNT}"

#: Of a deployer with access logs, in addition.
HOSTILE_WITH_LOGS = {
    "Firehose's role without the boundary": ("iam:CreateRole", LOGS_ROLE, {}),
    "Firehose's role with the boundary of functions": ("iam:CreateRole", LOGS_ROLE, BOUNDED),
    "the role of functions with the boundary of Firehose": ("iam:CreateRole", ROLE, LOGS_BOUNDED),
    "permissions for Firehose's role without the boundary": ("iam:PutRolePolicy", LOGS_ROLE, {}),
    "a managed policy for Firehose's role": ("iam:AttachRolePolicy", LOGS_ROLE, LOGS_BOUNDED),
    "another boundary of Firehose's role": ("iam:PutRolePermissionsBoundary", LOGS_ROLE, LOGS_BOUNDED),
    "another trust policy of Firehose's role": ("iam:UpdateAssumeRolePolicy", LOGS_ROLE, {}),
    "a new version of Firehose's boundary": ("iam:CreatePolicyVersion", f"{IAM}:policy/wallarm/{NAME}.logs-boundary", {}),
    "Firehose's role for Lambda": ("iam:PassRole", LOGS_ROLE, TO_LAMBDA),
    "the role of functions for Firehose": ("iam:PassRole", ROLE, TO_FIREHOSE),
    "another role for Firehose": ("iam:PassRole", f"{IAM}:role/administrator", TO_FIREHOSE),
    "another stream": ("firehose:UpdateDestination", f"{STREAMS}/{NAME}-logs-2", {}),
    "a new stream": ("firehose:CreateDeliveryStream", f"{STREAMS}/exfiltration", {}),
    "records of one's own": ("firehose:PutRecord", f"{STREAMS}/{NAME}-logs", {}),
    "no stream": ("firehose:DeleteDeliveryStream", f"{STREAMS}/{NAME}-logs", {}),
    "the logs of another distribution": (
        "cloudfront:AllowVendedLogDeliveryForResource", f"arn:aws:cloudfront::{ACCOUNT}:distribution/E3OTHER", {}),
    "another source": ("logs:PutDeliverySource", f"{LOGS}:delivery-source:{NAME}-E3OTHER", {}),
    "a delivery of another source": ("logs:CreateDelivery", f"{LOGS}:delivery-source:{NAME}-E3OTHER", {}),
    "a delivery to another destination": ("logs:CreateDelivery", f"{LOGS}:delivery-destination:theirs", {}),
    "other fields of others": ("logs:UpdateDeliveryConfiguration", f"{LOGS}:delivery-source:{NAME}-E3OTHER", {}),
    "the delivery of others": ("logs:DeleteDelivery", f"{LOGS}:delivery:abc", {}),
    "a log group": ("logs:GetLogEvents", f"{LOG_GROUP}:log-stream:1", {}),
    "the bucket": ("s3:GetObject", f"arn:aws:s3:::shop-logs/{NAME}-logs/x", {}),
    "another service's role": (
        "iam:CreateServiceLinkedRole", f"{IAM}:role/aws-service-role/delivery.logs.amazonaws.com/Other", {}),
}


@pytest.mark.parametrize("options", [(), WITH_LOGS])
def test_a_hostile_deployer_cannot_gain_permissions(printed, options):
    deployer = of_deployers(printed("E2EXAMPLE", *options))
    hostile = {**HOSTILE, **HOSTILE_WITH_LOGS}
    allowed = simulate(deployer, list(hostile.values()))
    assert [what for what, granted in zip(hostile, allowed) if granted] == []


def test_the_boundary_of_firehose_allows_an_administrator_role_only_its_folder(printed):
    boundary = printed("E2EXAMPLE", *WITH_LOGS)["logs-boundary"]
    bucket, folder = "arn:aws:s3:::shop-logs", f"arn:aws:s3:::shop-logs/{NAME}-logs"
    needed = [("s3:ListBucket", bucket, {}), ("s3:PutObject", f"{folder}/2026/x.gz", {})]
    others = [
        ("s3:PutObject", f"{bucket}/index.html", {}),
        ("s3:PutObject", "arn:aws:s3:::shop/x", {}),
        ("s3:GetObject", f"{folder}/2026/x.gz", {}),
        ("s3:DeleteObject", f"{folder}/2026/x.gz", {}),
        ("lambda:InvokeFunction", FUNCTION, {}),
        ("firehose:PutRecord", f"{STREAMS}/{NAME}-logs", {}),
    ]
    assert simulate(ADMINISTRATOR, needed + others, boundary) == [True] * len(needed) + [False] * len(others)
    assert simulate(boundary, needed) == [True] * len(needed)


def test_the_deployer_policy_allows_every_call_of_access_logs(in_stand_in, releases, printed, tmp_path):
    distribution = in_stand_in.distribution(DefaultCacheBehavior=behavior(OriginRequestPolicyId="ours"))
    with_permissions(in_stand_in)
    with_permissions(in_stand_in, f"{NAME}.logs")
    (tmp_path / "key").write_text("key")
    logs = ("--logs", "https://waf.example.com", "--logs-key", str(tmp_path / "key"), *WITH_LOGS)
    recorder = Recorder()
    watched = (in_stand_in.lambda_, in_stand_in.cloudfront, in_stand_in.iam, in_stand_in.logs, in_stand_in.firehose)
    recorder.watch(*watched)
    try:
        in_stand_in.deploy(distribution, releases.deployed, *logs)
        [delivery] = in_stand_in.logs.describe_deliveries()["deliveries"]
        in_stand_in.proxy.record_fields[delivery["id"]] = []
        in_stand_in.deploy(distribution, releases.deployed, *logs)
        in_stand_in.run("describe", distribution, "--logs")
    finally:
        recorder.ignore(*watched)
    assert_allowed(of_deployers(printed(distribution, *WITH_LOGS)), recorder)
    used = {action for action, _, _ in recorder.requests}
    assert {"logs:CreateDelivery", "logs:UpdateDeliveryConfiguration", "firehose:UpdateDestination", "iam:PassRole"} <= used


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


def of_deployers(documents: dict) -> dict:
    """Both policies of deployers as one."""
    statements = [it for name, document in documents.items() if name.endswith("deployer") for it in document["Statement"]]
    return {**documents["deployer"], "Statement": statements}


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
