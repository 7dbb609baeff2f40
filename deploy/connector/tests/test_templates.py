"""Templates, parsed and checked; neither has been run on AWS."""

import subprocess
import sys
from pathlib import Path

import hcl2
import pytest
import yaml

from conftest import HERE
from deployment.policy import LOG_ACTIONS, SERVICES

FOLDER = HERE.parent


class Tagged(yaml.SafeLoader):
    """Reads CloudFormation tags such as `!Ref` as their values."""


Tagged.add_multi_constructor("!", lambda loader, suffix, node: (
    loader.construct_scalar(node) if isinstance(node, yaml.ScalarNode) else loader.construct_sequence(node)
))


@pytest.fixture(scope="module")
def template():
    return yaml.load((FOLDER / "template.yaml").read_text(), Tagged)


def cfn_lint(template: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", "import sys; from cfnlint.runner.cli import main; sys.exit(main())"]
    return subprocess.run([*command, "--regions", "us-east-1", "--", template], capture_output=True, text=True, check=False)


def test_cfn_lint_accepts_the_template():
    done = cfn_lint(FOLDER / "template.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_template_retains_functions_with_replicas(template):
    resources = template["Resources"]
    assert {it["Type"] for it in resources.values()} == {"AWS::Serverless::Function", "AWS::IAM::Role", "AWS::IAM::ManagedPolicy"}
    assert all(it["DeletionPolicy"] == "Retain" for it in resources.values())


def test_the_template_has_the_metadata_of_the_application_repository(template):
    about = template["Metadata"]["AWS::ServerlessRepo::Application"]
    assert {"Name", "Description", "Author", "SpdxLicenseId", "LicenseUrl", "ReadmeUrl", "SemanticVersion"} <= set(about)
    for file in ("LicenseUrl", "ReadmeUrl"):
        assert (FOLDER / about[file]).is_file()
    version = next(line for line in (FOLDER / "../../Cargo.toml").read_text().splitlines() if line.startswith("version"))
    assert version.split('"')[1] == about["SemanticVersion"]


def test_both_roles_trust_lambda_and_lambda_at_edge(template):
    role = template["Resources"]["Role"]["Properties"]
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"] == SERVICES
    [principals] = block("data", "aws_iam_policy_document", "trust")["statement"][0]["principals"]
    assert principals["identifiers"] == SERVICES


def test_terraform_publishes_versions_in_us_east_1_and_retains_them():
    assert block("provider", "aws")["region"] == "us-east-1"
    function = block("resource", "aws_lambda_function", "connector")
    assert function["publish"] is True and function["skip_destroy"] is True
    assert function["architectures"] == ["x86_64"] and "environment" not in function
    assert block("output", "request_version") and block("output", "response_version")


def test_both_roles_have_a_boundary_of_their_own_logs(template):
    logs = template["Resources"]["Logs"]["Properties"]["PolicyDocument"]["Statement"]
    role = template["Resources"]["Role"]["Properties"]
    assert role["PermissionsBoundary"] == "Logs" and role["ManagedPolicyArns"] == ["Logs"] and "Policies" not in role
    [statement] = logs
    assert statement["Action"] == LOG_ACTIONS and len(statement["Resource"]) == 4
    assert block("resource", "aws_iam_role", "connector")["permissions_boundary"] == "${aws_iam_policy.boundary.arn}"
    assert block("resource", "aws_iam_policy", "boundary")["policy"] == block("resource", "aws_iam_role_policy", "logs")["policy"]


def block(kind: str, *labels: str) -> dict:
    """A block of main.tf."""
    for found in without_quotes(hcl2.loads((FOLDER / "main.tf").read_text()))[kind]:
        for label in labels:
            found = found.get(label, {})
        if found:
            return found
    raise AssertionError(f"main.tf has no {kind} {' '.join(labels)}")


def without_quotes(value):
    """Newer releases of the parser keep the quotes of strings."""
    if isinstance(value, dict):
        return {without_quotes(key): without_quotes(it) for key, it in value.items()}
    if isinstance(value, list):
        return [without_quotes(it) for it in value]
    return value.strip('"') if isinstance(value, str) else value
