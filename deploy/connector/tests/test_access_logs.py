"""Delivery of access logs to the node: deploy --logs, the doctor and its pieces, against moto and the stand-in."""

import json
import re
import subprocess

import botocore.session
import hcl2
import pytest
from botocore import xform_name

from conftest import TOOL, behavior
from deployment.access_logs import FIELDS
from deployment.naming import source_name
from stand_in import XMLNS
from test_templates import cfn_lint, without_quotes

NODE, URL = "https://waf.example.com", "https://waf.example.com/v1/logs/firehose"
STREAM, ROLE = "wallarm-connector-logs", "wallarm-connector.logs"
LOGS = ("--logs", NODE, "--logs-bucket", "shop-logs")


@pytest.fixture
def key(tmp_path):
    path = tmp_path / "firehose-key"
    path.write_text("the-key\n")
    return ("--logs-key", str(path))


def destination(account) -> dict:
    stream = account.firehose.describe_delivery_stream(DeliveryStreamName=STREAM)["DeliveryStreamDescription"]
    return stream["Destinations"][0]["HttpEndpointDestinationDescription"]


def doctor(account, distribution: str, *options: str) -> subprocess.CompletedProcess:
    documents, _ = json.JSONDecoder().raw_decode(account.run("describe", distribution, "--logs"))
    command = [TOOL, "doctor", "-", "--logs", NODE, *options]
    return subprocess.run(command, input=json.dumps(documents), capture_output=True, text=True, check=False)


def test_logs_are_delivered_with_all_fields_to_the_node(in_moto, releases, key):
    distribution = in_moto.distribution()
    printed = in_moto.deploy(distribution, releases.deployed, *LOGS, *key)
    assert f"{STREAM}: created, delivers to {URL}" in printed and "the-key" not in printed
    [source] = in_moto.logs.describe_delivery_sources()["deliverySources"]
    assert source["name"] == f"wallarm-connector-{distribution}"
    assert source["resourceArns"] == [f"arn:aws:cloudfront::123456789012:distribution/{distribution}"]
    [delivery] = in_moto.logs.describe_deliveries()["deliveries"]
    assert delivery["recordFields"] == FIELDS and delivery["deliveryDestinationType"] == "FH"
    endpoint = destination(in_moto)
    assert endpoint["EndpointConfiguration"]["Url"] == URL
    assert endpoint["BufferingHints"]["SizeInMBs"] == 1 and endpoint["RequestConfiguration"]["ContentEncoding"] == "GZIP"
    tags = in_moto.firehose.list_tags_for_delivery_stream(DeliveryStreamName=STREAM)["Tags"]
    assert {"Key": "LogDeliveryEnabled", "Value": "true"} in tags


def test_firehose_may_only_write_to_its_folder_of_the_bucket(in_moto, releases, key):
    in_moto.deploy(in_moto.distribution(), releases.deployed, *LOGS, *key)
    role = in_moto.iam.get_role(RoleName=ROLE)["Role"]
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"] == ["firehose.amazonaws.com"]
    boundary = role["PermissionsBoundary"]["PermissionsBoundaryArn"]
    assert boundary == f"arn:aws:iam::123456789012:policy/wallarm/{ROLE}-boundary"
    document = in_moto.iam.get_policy_version(PolicyArn=boundary, VersionId="v1")["PolicyVersion"]["Document"]
    assert document == in_moto.iam.get_role_policy(RoleName=ROLE, PolicyName="logs")["PolicyDocument"]
    [statement] = document["Statement"]
    assert statement["Resource"] == ["arn:aws:s3:::shop-logs", f"arn:aws:s3:::shop-logs/{STREAM}/*"]
    assert endpoint_role(in_moto) == role["Arn"]


def endpoint_role(account) -> str:
    return destination(account)["S3DestinationDescription"]["RoleARN"]


def test_logs_can_be_deployed_again_with_another_url(in_moto, releases, key):
    distribution = in_moto.distribution()
    in_moto.deploy(distribution, releases.deployed, *LOGS, *key)
    printed = in_moto.deploy(distribution, releases.deployed, *LOGS, *key)
    assert "access logs unchanged" in printed
    in_moto.deploy(distribution, releases.deployed, "--logs", "https://new.example.com/edge/logs", *LOGS[2:], *key)
    assert destination(in_moto)["EndpointConfiguration"]["Url"] == "https://new.example.com/edge/logs"
    assert len(in_moto.logs.describe_deliveries()["deliveries"]) == 1


def test_a_delivery_of_an_earlier_release_gets_new_fields(in_moto, releases, key):
    distribution = in_moto.distribution()
    in_moto.deploy(distribution, releases.deployed, *LOGS, *key)
    [delivery] = in_moto.logs.describe_deliveries()["deliveries"]
    in_moto.proxy.record_fields[delivery["id"]] = FIELDS[:5]
    assert "log-fields-required" in doctor(in_moto, distribution).stdout
    assert "access logs have all fields now" in in_moto.deploy(distribution, releases.deployed, *LOGS, *key)
    assert in_moto.proxy.record_fields[delivery["id"]] == FIELDS


def test_the_source_of_the_longest_name_is_within_the_limit():
    assert len(source_name("n" * 55, "E1234567890123")) == 60
    assert source_name("shop", "E1") == "shop-E1"


def test_two_distributions_share_a_stream(in_moto, releases, key):
    for number in range(2):
        in_moto.deploy(in_moto.distribution(CallerReference=f"test{number}"), releases.deployed, *LOGS, *key)
    assert len(in_moto.logs.describe_deliveries()["deliveries"]) == 2
    assert in_moto.firehose.list_delivery_streams()["DeliveryStreamNames"] == [STREAM]


def test_a_delivery_of_others_is_named_before_any_change(in_moto, releases, key):
    distribution = in_moto.distribution()
    arn = f"arn:aws:cloudfront::123456789012:distribution/{distribution}"
    in_moto.logs.put_delivery_source(name="theirs", resourceArn=arn, logType="ACCESS_LOGS")
    printed = in_moto.deploy(distribution, releases.deployed, *LOGS, *key, expect=1)
    assert "use it with --logs-source theirs" in printed and in_moto.functions() == []
    stream = in_moto.firehose.create_delivery_stream(
        DeliveryStreamName="theirs", HttpEndpointDestinationConfiguration={
            "EndpointConfiguration": {"Url": "https://logs.example.com"},
            "S3Configuration": {"RoleARN": "arn:aws:iam::123456789012:role/x", "BucketARN": "arn:aws:s3:::x"},
        },
    )["DeliveryStreamARN"]
    target = in_moto.logs.put_delivery_destination(
        name="theirs", deliveryDestinationConfiguration={"destinationResourceArn": stream}
    )["deliveryDestination"]["arn"]
    delivery = in_moto.logs.create_delivery(deliverySourceName="theirs", deliveryDestinationArn=target)["delivery"]["id"]
    printed = in_moto.deploy(distribution, releases.deployed, *LOGS, *key, "--logs-source", "theirs", expect=1)
    assert f"aws logs delete-delivery --region us-east-1 --id {delivery}" in printed and in_moto.functions() == []
    in_moto.logs.delete_delivery(id=delivery)
    in_moto.deploy(distribution, releases.deployed, *LOGS, *key, "--logs-source", "theirs")
    assert [it["name"] for it in in_moto.logs.describe_delivery_sources()["deliverySources"]] == ["theirs"]


def test_incomplete_options_are_refused_before_any_change(in_moto, releases, key, tmp_path, capsys):
    distribution = in_moto.distribution()
    assert "--logs needs --logs-bucket" in in_moto.deploy(distribution, releases.deployed, "--logs", NODE, expect=1)
    (tmp_path / "empty").write_text("\n")
    for file, reason in (("absent", "cannot read the access key"), ("empty", "must have the access key")):
        options = (*LOGS, "--logs-key", str(tmp_path / file))
        assert reason in in_moto.deploy(distribution, releases.deployed, *options, expect=1)
    for url in ("http://waf.example.com", "https://waf.example.com:5050", "https://a/$(id)", "https://a b", "waf.example.com"):
        with pytest.raises(SystemExit):
            in_moto.deploy(distribution, releases.deployed, "--logs", url, *LOGS[2:], *key)
        assert "without another port than 443" in capsys.readouterr().err
    assert in_moto.functions() == [] and in_moto.firehose.list_delivery_streams()["DeliveryStreamNames"] == []


def test_a_user_who_may_not_create_the_boundary_of_firehose_learns_who_does_it(in_moto, releases, key):
    distribution = in_moto.distribution()
    in_moto.deploy(distribution, releases.deployed)
    in_moto.proxy.denied = {"CreatePolicy"}
    printed = in_moto.deploy(distribution, releases.deployed, *LOGS, *key, expect=1)
    command = printed.split("once: ")[1].split(" && ")[0].split(" > ")[0]
    boundary = in_moto.run(*command.replace("DISTRIBUTION", distribution).split()[1:])
    in_moto.proxy.denied = set()
    in_moto.iam.create_policy(Path="/wallarm/", PolicyName=f"{ROLE}-boundary", PolicyDocument=boundary)
    in_moto.proxy.denied = {"CreatePolicy"}
    in_moto.deploy(distribution, releases.deployed, *LOGS, *key)


def test_the_doctor_finds_no_hazard_in_deployed_logs(in_stand_in, releases, key):
    all_viewer = behavior(OriginRequestPolicyId="216adef6-5c7f-47e4-b989-5492eafa07d3")
    distribution = in_stand_in.distribution(DefaultCacheBehavior=all_viewer)
    in_stand_in.deploy(distribution, releases.deployed, "--stages", "viewer+origin")
    found = doctor(in_stand_in, distribution)
    assert found.returncode == 1 and "logs-off (distribution)" in found.stdout, found.stdout + found.stderr
    in_stand_in.deploy(distribution, releases.deployed, "--stages", "viewer+origin", *LOGS, *key)
    found = doctor(in_stand_in, distribution)
    assert (found.returncode, found.stdout) == (0, "no hazards found\n"), found.stdout + found.stderr


def test_the_doctor_reads_real_time_configurations(in_stand_in):
    arn = "arn:aws:cloudfront::123456789012:realtime-log-config/ours"
    distribution = in_stand_in.distribution(DefaultCacheBehavior=behavior(RealtimeLogConfigArn=arn))
    in_stand_in.proxy.policies = {"/2020-05-31/get-realtime-log-config": f"""
<GetRealtimeLogConfigResult xmlns="{XMLNS}"><RealtimeLogConfig><ARN>{arn}</ARN><Name>ours</Name><SamplingRate>50</SamplingRate>
<Fields><Field>timestamp</Field><Field>c-ip</Field></Fields><EndPoints><member><StreamType>Kinesis</StreamType>
<KinesisStreamConfig><RoleARN>arn:aws:iam::123456789012:role/ours</RoleARN>
<StreamARN>arn:aws:kinesis:us-east-1:123456789012:stream/ours</StreamARN></KinesisStreamConfig></member></EndPoints>
</RealtimeLogConfig></GetRealtimeLogConfigResult>""".strip()}
    found = doctor(in_stand_in, distribution).stdout
    assert "log-fields-required (real-time logs, ours)" in found and "Only 50 % of the requests are logged" in found, found


@pytest.fixture(params=["standard", "real-time"])
def piece(request, in_stand_in):
    """Prints what sets up logs in a format."""
    distribution = in_stand_in.distribution()
    more = ("--real-time",) if request.param == "real-time" else ()

    def run(setup_format: str) -> str:
        printed = doctor(in_stand_in, distribution, "--setup", setup_format, *more)
        assert "logs-off" in printed.stdout, printed.stderr
        assert URL in printed.stdout and distribution in printed.stdout
        return printed.stdout

    return run


def test_the_commands_exist_with_their_options(piece):
    script = piece("cli")
    assert subprocess.run(["sh", "-n"], input=script, text=True, check=False).returncode == 0
    joined = re.sub(r"<<END\n.*?\nEND\n", "\n", script, flags=re.S).replace("\\\n", " ")
    commands = re.findall(r"^(?:\w+=\$\()?aws (.*)", joined, flags=re.M)
    used = set()
    session = botocore.session.get_session()
    # Options of AWS's command line itself.
    own = {"region", "query", "output"}
    for service, operation, *options in [re.split(r"\s+", command.split(" --query")[0]) for command in commands]:
        if operation == "wait":
            continue
        model = session.get_service_model(service)
        names = {xform_name(name, "-"): name for name in model.operation_names}
        members = {xform_name(it, "-") for it in model.operation_model(names[operation]).input_shape.members}
        given = {option[2:] for option in options if option.startswith("--")}
        assert given - own <= members, (service, operation)
        used.add(f"{service} {operation}")
    assert {"firehose create-delivery-stream", "iam create-role"} <= used, used


def test_cfn_lint_accepts_the_pieces(piece, tmp_path):
    (tmp_path / "logs.yaml").write_text(piece("cloudformation"))
    done = cfn_lint(tmp_path / "logs.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_terraform_pieces_are_parsed(piece):
    blocks = without_quotes(hcl2.loads(piece("terraform")))
    streams = next(it["aws_kinesis_firehose_delivery_stream"] for it in blocks["resource"] if "aws_kinesis_firehose_delivery_stream" in it)
    [stream] = streams.values()
    [endpoint] = stream["http_endpoint_configuration"]
    assert endpoint["url"] == URL and endpoint["access_key"] == "${var.access_key}"
