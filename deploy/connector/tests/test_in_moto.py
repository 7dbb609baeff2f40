"""Functions, versions, the role and the doctor's documents, against moto's server.

moto drops associations, accepts any ETag, and deletes any function; test_in_stand_in.py tests these.
"""

import json
import subprocess

import pytest

from conftest import TOOL, VALUES
from deployment.policy import SERVICES

REQUEST, RESPONSE = "wallarm-connector-request", "wallarm-connector-response"
BOUNDARY = "arn:aws:iam::123456789012:policy/wallarm/wallarm-connector-boundary"


def test_moto_drops_associations(in_moto):
    """When this fails, moto supports associations, and tests can move from the stand-in."""
    distribution = in_moto.distribution()
    arn = "arn:aws:lambda:us-east-1:123456789012:function:any:1"
    answer = in_moto.cloudfront.get_distribution_config(Id=distribution)
    answer["DistributionConfig"]["DefaultCacheBehavior"]["LambdaFunctionAssociations"] = {
        "Quantity": 1, "Items": [{"LambdaFunctionARN": arn, "EventType": "viewer-request", "IncludeBody": True}],
    }
    in_moto.cloudfront.update_distribution(Id=distribution, IfMatch="stale", DistributionConfig=answer["DistributionConfig"])
    assert in_moto.config(distribution)["DefaultCacheBehavior"]["LambdaFunctionAssociations"]["Quantity"] == 0


def test_deploy_creates_functions_valid_for_lambda_at_edge(in_moto, releases):
    in_moto.deploy(in_moto.distribution(), releases.deployed)
    assert in_moto.functions() == [REQUEST, RESPONSE]
    for name in (REQUEST, RESPONSE):
        configuration = in_moto.lambda_.get_function_configuration(FunctionName=name, Qualifier="1")
        assert configuration["Runtime"] == "python3.13"
        assert configuration["Handler"] == "lambda_function.lambda_handler"
        assert configuration["Architectures"] == ["x86_64"]
        assert "Environment" not in configuration
        assert in_moto.values(name).items() >= VALUES.items()
    assert in_moto.values(REQUEST)["wlrm_function"] == "request"
    assert in_moto.values(RESPONSE)["wlrm_function"] == "response"


def test_the_role_trusts_both_services_and_may_only_write_logs(in_moto, releases):
    in_moto.deploy(in_moto.distribution(), releases.deployed)
    role = in_moto.iam.get_role(RoleName="wallarm-connector")["Role"]
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"] == SERVICES
    assert in_moto.iam.list_attached_role_policies(RoleName="wallarm-connector")["AttachedPolicies"] == []
    assert in_moto.iam.list_role_policies(RoleName="wallarm-connector")["PolicyNames"] == ["logs"]
    policy = in_moto.iam.get_role_policy(RoleName="wallarm-connector", PolicyName="logs")["PolicyDocument"]
    [statement] = policy["Statement"]
    assert all(action.startswith("logs:") for action in statement["Action"])
    groups = [f"arn:aws:logs:*:123456789012:log-group:/aws/lambda/us-east-1.{name}" for name in (REQUEST, RESPONSE)]
    assert statement["Resource"] == groups + [f"{group}:*" for group in groups]


def test_the_role_has_a_boundary_with_the_same_permissions(in_moto, releases):
    in_moto.deploy(in_moto.distribution(), releases.deployed)
    role = in_moto.iam.get_role(RoleName="wallarm-connector")["Role"]
    assert role["Arn"] == "arn:aws:iam::123456789012:role/wallarm/wallarm-connector"
    boundary = role["PermissionsBoundary"]["PermissionsBoundaryArn"]
    assert boundary == BOUNDARY
    document = in_moto.iam.get_policy_version(PolicyArn=boundary, VersionId="v1")["PolicyVersion"]["Document"]
    assert document == in_moto.iam.get_role_policy(RoleName="wallarm-connector", PolicyName="logs")["PolicyDocument"]


def test_a_user_who_may_not_create_the_boundary_learns_who_does_it(in_moto, releases):
    distribution = in_moto.distribution()
    in_moto.proxy.denied = {"CreatePolicy"}
    printed = in_moto.deploy(distribution, releases.deployed, expect=1)
    assert f"the boundary {BOUNDARY} does not exist" in printed and "An administrator creates it" in printed
    assert in_moto.functions() == [] and in_moto.iam.list_roles()["Roles"] == []

    command = printed.split("once: ")[1].split(" && ")[0].split(" > ")[0]
    boundary = in_moto.run(*command.replace("DISTRIBUTION", distribution).split()[1:])
    in_moto.proxy.denied = set()
    in_moto.iam.create_policy(Path="/wallarm/", PolicyName="wallarm-connector-boundary", PolicyDocument=boundary)
    in_moto.proxy.denied = {"CreatePolicy"}
    in_moto.deploy(distribution, releases.deployed)
    assert in_moto.functions() == [REQUEST, RESPONSE]


def test_a_left_over_role_of_an_earlier_release_is_named(in_moto, releases):
    distribution = in_moto.distribution()
    tags = [{"Key": "wallarm-connector", "Value": "wallarm-connector"}]
    in_moto.iam.create_role(RoleName="wallarm-connector", AssumeRolePolicyDocument="{}", Tags=tags)
    assert "without a permissions boundary" in in_moto.deploy(distribution, releases.deployed, expect=1)
    in_moto.run("undeploy", distribution)
    in_moto.deploy(distribution, releases.deployed)


@pytest.mark.parametrize(("option", "value", "reason"), [
    ("--name", "a:b", "only letters A-Z"),
    ("--name", "../role", "only letters A-Z"),
    ("--name", "*", "only letters A-Z"),
    ("--name", "é", "only letters A-Z"),
    ("--name", "a" * 56, "56 characters; the limit is 55"),
    ("--runtime", "python3.10", "use python3.13"),
    ("--runtime", "nodejs24.x", "use python3.13"),
])
def test_an_invalid_option_is_refused_with_its_limit(in_moto, capsys, option, value, reason):
    with pytest.raises(SystemExit) as ended:
        in_moto.run("deploy", "E2EXAMPLE", option, value)
    printed = capsys.readouterr().err
    assert ended.value.code == 2 and f"argument {option}" in printed and reason in printed


def test_the_longest_name_is_accepted(in_moto, releases):
    longest = "a" * 55
    in_moto.deploy(in_moto.distribution(), releases.deployed, "--name", longest)
    assert max(map(len, in_moto.functions())) == 64


def test_deploy_upgrade_and_undeploy_can_each_be_repeated(in_moto, releases):
    distribution = in_moto.distribution()
    in_moto.deploy(distribution, releases.deployed)
    deployed = in_moto.code(REQUEST)
    assert "version 1, unchanged" in in_moto.deploy(distribution, releases.deployed)
    assert (in_moto.code(REQUEST), in_moto.versions(REQUEST)) == (deployed, ["1"])

    printed = in_moto.upgrade(distribution, releases.new)
    upgraded = in_moto.code(REQUEST)
    assert upgraded != deployed and in_moto.versions(REQUEST) == ["1", "2"] == in_moto.versions(RESPONSE)
    assert "kept          wlrm_node_addr" in printed and VALUES["wlrm_signing_key"] not in printed
    assert "version 2, unchanged" in in_moto.upgrade(distribution, releases.new)
    assert (in_moto.code(REQUEST), in_moto.versions(REQUEST)) == (upgraded, ["1", "2"])

    in_moto.run("undeploy", distribution)
    assert in_moto.functions() == [] and in_moto.iam.list_roles()["Roles"] == []
    in_moto.run("undeploy", distribution)


def test_upgrade_replaces_the_program_and_keeps_every_value(in_moto, releases):
    distribution = in_moto.distribution()
    in_moto.deploy(distribution, releases.deployed)
    before = {name: (in_moto.values(name), in_moto.program(name)) for name in (REQUEST, RESPONSE)}
    in_moto.upgrade(distribution, releases.new)
    for name, (values, program) in before.items():
        assert in_moto.values(name) == values
        assert in_moto.program(name) != program


def test_upgrade_can_set_a_value(in_moto, releases):
    distribution = in_moto.distribution()
    in_moto.deploy(distribution, releases.deployed)
    in_moto.upgrade(distribution, releases.new, "--set", "wlrm_inline=True", "--runtime", "python3.14")
    assert in_moto.values(REQUEST).items() >= {**VALUES, "wlrm_inline": True}.items()
    assert in_moto.lambda_.get_function_configuration(FunctionName=REQUEST, Qualifier="2")["Runtime"] == "python3.14"


def test_new_functions_keep_the_values_and_replace_the_old_ones(in_moto, releases):
    distribution = in_moto.distribution()
    in_moto.deploy(distribution, releases.deployed)
    before = in_moto.values(RESPONSE)
    for _ in range(2):
        in_moto.upgrade(distribution, releases.new, "--new-functions", "second")
        assert in_moto.functions() == ["second-request", "second-response"]
        assert in_moto.values("second-response") == before
        assert [role["RoleName"] for role in in_moto.iam.list_roles()["Roles"]] == ["second"]
        assert in_moto.versions("second-request") == ["1"]


def test_deploy_without_a_node_address_creates_nothing(in_moto, releases):
    printed = in_moto.run("deploy", in_moto.distribution(), "--bundles", str(releases.new), expect=1)
    assert "wlrm_node_addr is empty" in printed
    assert in_moto.functions() == [] and in_moto.iam.list_roles()["Roles"] == []


def test_a_foreign_role_is_neither_used_nor_deleted(in_moto, releases):
    distribution = in_moto.distribution()
    in_moto.iam.create_role(RoleName="wallarm-connector", AssumeRolePolicyDocument="{}")
    assert "--role arn:" in in_moto.deploy(distribution, releases.deployed, expect=1)
    in_moto.run("undeploy", distribution)
    assert [role["RoleName"] for role in in_moto.iam.list_roles()["Roles"]] == ["wallarm-connector"]


def test_an_unknown_parameter_is_named(in_moto, releases):
    printed = in_moto.deploy(in_moto.distribution(), releases.new, "--set", "wlrm_node_adr=x", expect=1)
    assert 'unknown parameter "wlrm_node_adr"' in printed


def test_upgrade_stops_before_any_change_if_the_code_cannot_be_downloaded(in_moto, releases):
    distribution = in_moto.distribution()
    in_moto.deploy(distribution, releases.deployed)
    in_moto.proxy.zips.pop(REQUEST)
    printed = in_moto.upgrade(distribution, releases.new, expect=1)
    assert "cannot download the code of wallarm-connector-request" in printed
    assert in_moto.versions(RESPONSE) == ["1"]


def test_a_missing_distribution_is_named(in_moto, releases):
    assert "error: AWS rejected GetDistributionConfig: NoSuchDistribution" in in_moto.deploy("E0", releases.new, expect=1)


def test_upgrade_requires_deployed_functions(in_moto, releases):
    distribution = in_moto.distribution()
    assert "do not exist" in in_moto.upgrade(distribution, releases.new, expect=1)
    printed = in_moto.upgrade(distribution, releases.new, "--new-functions", "second", expect=1)
    assert "do not exist" in printed


def test_the_doctor_reads_the_output_of_describe(in_moto):
    printed = in_moto.run("describe", in_moto.distribution())
    # moto has no policies; the doctor has AWS's managed policies by id.
    documents, notes = json.JSONDecoder().raw_decode(printed)
    assert "cannot read cache policy 4135ea2d-6df8-44a3-9df3-4b5a84be39ad" in printed[notes:]
    doctor = subprocess.run([TOOL, "doctor", "-"], input=json.dumps(documents), capture_output=True, text=True, check=False)
    assert doctor.returncode == 1 and "body-rest-not-inspected" in doctor.stdout and "1 hazard" in doctor.stdout
