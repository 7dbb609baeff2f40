"""Associations, conflicts and replicas, against our own stand-in for CloudFront; moto models none of them."""

import json
import subprocess

import pytest

from conftest import TOOL, behavior
from deployment import role
from stand_in import XMLNS

REQUEST, RESPONSE = "wallarm-connector-request", "wallarm-connector-response"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function"
OTHERS = {"LambdaFunctionARN": f"{FUNCTION}:sign-in:7", "EventType": "viewer-request", "IncludeBody": False}


def at(arn: str, event: str) -> dict:
    return {"LambdaFunctionARN": arn, "EventType": event, "IncludeBody": event.endswith("-request")}


def attached(account, distribution: str) -> list:
    return account.config(distribution)["DefaultCacheBehavior"]["LambdaFunctionAssociations"].get("Items", [])


@pytest.fixture
def deployed(in_stand_in, releases):
    """A distribution with both functions attached."""
    distribution = in_stand_in.distribution()
    in_stand_in.deploy(distribution, releases.deployed)
    return distribution


def test_both_functions_are_attached_with_request_bodies(in_stand_in, deployed):
    assert attached(in_stand_in, deployed) == [
        at(f"{FUNCTION}:{REQUEST}:1", "viewer-request"), at(f"{FUNCTION}:{RESPONSE}:1", "viewer-response"),
    ]


def test_deploy_waits_for_cloudfront(in_stand_in, releases):
    printed = in_stand_in.deploy(in_stand_in.distribution(), releases.deployed)
    assert printed.index("InProgress") < printed.index("E2STANDIN: Deployed")


def test_other_settings_of_a_distribution_stay_unchanged(in_stand_in, releases):
    api = behavior([OTHERS], PathPattern="/api/*")
    theirs = {**OTHERS, "EventType": "origin-request"}
    distribution = in_stand_in.distribution(
        CacheBehaviors={"Quantity": 1, "Items": [api]}, DefaultCacheBehavior=behavior([theirs]),
    )
    before = in_stand_in.config(distribution)
    in_stand_in.deploy(distribution, releases.deployed)
    after = in_stand_in.config(distribution)
    ours = after["DefaultCacheBehavior"]["LambdaFunctionAssociations"]["Items"]
    assert ours[0] == theirs and len(ours) == 3
    in_stand_in.run("undeploy", distribution)
    assert in_stand_in.config(distribution) == before
    associations = before["DefaultCacheBehavior"]["LambdaFunctionAssociations"]
    after["DefaultCacheBehavior"]["LambdaFunctionAssociations"] = associations
    assert after == before


def test_only_the_selected_behavior_is_changed(in_stand_in, releases):
    distribution = in_stand_in.distribution(CacheBehaviors={"Quantity": 1, "Items": [behavior(PathPattern="/api/*")]})
    in_stand_in.deploy(distribution, releases.deployed, "--behavior", "/api/*", "--trigger", "origin", "--response", "none")
    config = in_stand_in.config(distribution)
    assert config["DefaultCacheBehavior"]["LambdaFunctionAssociations"]["Quantity"] == 0
    [api] = config["CacheBehaviors"]["Items"]
    assert api["LambdaFunctionAssociations"]["Items"] == [at(f"{FUNCTION}:{REQUEST}:1", "origin-request")]
    assert "has no behavior for /shop" in in_stand_in.deploy(distribution, releases.new, "--behavior", "/shop", expect=1)


def test_an_occupied_trigger_is_changed_only_with_replace(in_stand_in, releases):
    distribution = in_stand_in.distribution(DefaultCacheBehavior=behavior([OTHERS]))
    printed = in_stand_in.deploy(distribution, releases.deployed, expect=1)
    assert "sign-in:7 is attached to viewer-request of *," in printed
    assert in_stand_in.functions() == [] and attached(in_stand_in, distribution) == [OTHERS]
    in_stand_in.deploy(distribution, releases.deployed, "--replace")
    assert at(f"{FUNCTION}:{REQUEST}:1", "viewer-request") in attached(in_stand_in, distribution)
    assert OTHERS not in attached(in_stand_in, distribution)


def test_a_cloudfront_function_excludes_viewer_triggers(in_stand_in, releases):
    rewrite = {"FunctionARN": "arn:aws:cloudfront::123456789012:function/rewrite", "EventType": "viewer-request"}
    functions = {"FunctionAssociations": {"Quantity": 1, "Items": [rewrite]}}
    distribution = in_stand_in.distribution(DefaultCacheBehavior=behavior(**functions))
    assert "use --stages origin" in in_stand_in.deploy(distribution, releases.deployed, expect=1)
    in_stand_in.deploy(distribution, releases.deployed, "--stages", "origin")
    assert len(attached(in_stand_in, distribution)) == 2


def test_a_concurrent_change_survives_a_conflict(in_stand_in, releases):
    distribution = in_stand_in.distribution()
    in_stand_in.proxy.meddle = lambda config: config.replace(b"the shop", b"the new shop")
    printed = in_stand_in.deploy(distribution, releases.deployed)
    assert "changed by another client" in printed
    assert in_stand_in.config(distribution)["Comment"] == "the new shop"
    assert len(attached(in_stand_in, distribution)) == 2


def test_an_attached_function_is_not_attached_again(in_stand_in, deployed, releases):
    updates = len(in_stand_in.proxy.updates)
    assert "nothing to change" in in_stand_in.deploy(deployed, releases.deployed)
    assert "nothing to change" in in_stand_in.upgrade(deployed, releases.deployed)
    assert len(in_stand_in.proxy.updates) == updates


def test_a_new_trigger_replaces_the_first(in_stand_in, deployed, releases):
    in_stand_in.deploy(deployed, releases.deployed, "--trigger", "origin")
    assert [it["EventType"] for it in attached(in_stand_in, deployed)] == ["origin-request", "origin-response"]


def test_two_stages_share_one_function_and_a_key(in_stand_in, releases):
    distribution = in_stand_in.distribution()
    printed = in_stand_in.deploy(distribution, releases.deployed)
    assert "Bodies are inspected up to 40 KB" in printed and "--stages viewer+origin" in printed
    assert in_stand_in.values(REQUEST)["wlrm_mark_keys"] is None
    printed = in_stand_in.deploy(distribution, releases.deployed, "--stages", "viewer+origin")
    key = in_stand_in.values(REQUEST)["wlrm_mark_keys"]
    assert len(key) == 64 and key not in printed and "40 KB" not in printed
    assert in_stand_in.values(RESPONSE)["wlrm_mark_keys"] is None
    stages = [("viewer-request", REQUEST), ("origin-request", REQUEST), ("origin-response", RESPONSE)]
    found = [(it["EventType"], it["LambdaFunctionARN"].split(":")[6]) for it in attached(in_stand_in, distribution)]
    assert sorted(found) == sorted(stages)
    assert all(it["IncludeBody"] == (":" + REQUEST in it["LambdaFunctionARN"]) for it in attached(in_stand_in, distribution))


def test_the_key_of_two_stages_is_kept_rotated_and_removed(in_stand_in, releases):
    distribution = in_stand_in.distribution()
    two, key = ("--stages", "viewer+origin"), "k" * 32
    in_stand_in.deploy(distribution, releases.deployed, *two)
    first = in_stand_in.values(REQUEST)["wlrm_mark_keys"]
    assert "nothing to change" in in_stand_in.deploy(distribution, releases.deployed, *two)
    in_stand_in.upgrade(distribution, releases.new)
    assert in_stand_in.values(REQUEST)["wlrm_mark_keys"] == first
    in_stand_in.upgrade(distribution, releases.new, "--set", f"wlrm_mark_keys={key},{first}")
    assert in_stand_in.values(REQUEST)["wlrm_mark_keys"] == f"{key},{first}"
    printed = in_stand_in.deploy(distribution, releases.new, "--set", f"wlrm_mark_keys={key}", expect=1)
    assert "deploy them with --stages viewer+origin" in printed
    in_stand_in.deploy(distribution, releases.new, "--stages", "viewer")
    assert in_stand_in.values(REQUEST)["wlrm_mark_keys"] is None


def test_a_function_has_as_many_stages_in_every_behavior(in_stand_in, releases):
    distribution = in_stand_in.distribution(CacheBehaviors={"Quantity": 1, "Items": [behavior(PathPattern="/api/*")]})
    in_stand_in.deploy(distribution, releases.deployed)
    api = ("--behavior", "/api/*", "--stages", "viewer+origin")
    printed = in_stand_in.deploy(distribution, releases.deployed, *api, expect=1)
    assert f"{REQUEST} is attached to viewer-request of *" in printed and "another --name" in printed
    in_stand_in.deploy(distribution, releases.deployed, *api, "--name", "both")
    in_stand_in.deploy(distribution, releases.deployed, "--behavior", "/api/*", "--name", "both", *api[2:])


def test_upgrade_keeps_triggers_in_every_behavior(in_stand_in, releases):
    distribution = in_stand_in.distribution(CacheBehaviors={"Quantity": 1, "Items": [behavior(PathPattern="/api/*")]})
    in_stand_in.deploy(distribution, releases.deployed, "--response", "origin")
    in_stand_in.deploy(distribution, releases.deployed, "--behavior", "/api/*", "--trigger", "origin", "--response", "none")
    in_stand_in.upgrade(distribution, releases.new)
    config = in_stand_in.config(distribution)
    assert attached(in_stand_in, distribution) == [
        at(f"{FUNCTION}:{REQUEST}:2", "viewer-request"), at(f"{FUNCTION}:{RESPONSE}:2", "origin-response"),
    ]
    [api] = config["CacheBehaviors"]["Items"]
    assert api["LambdaFunctionAssociations"]["Items"] == [at(f"{FUNCTION}:{REQUEST}:2", "origin-request")]


def test_new_functions_are_attached_before_the_old_ones_are_deleted(in_stand_in, deployed, releases):
    printed = in_stand_in.upgrade(deployed, releases.new, "--new-functions", "second")
    linked, gone = printed.index("replaced by"), printed.index(f"{REQUEST}: deleted")
    assert linked < printed.index("E2STANDIN: Deployed") < gone
    assert attached(in_stand_in, deployed) == [
        at(f"{FUNCTION}:second-request:1", "viewer-request"), at(f"{FUNCTION}:second-response:1", "viewer-response"),
    ]
    assert in_stand_in.functions() == ["second-request", "second-response"]


def test_functions_with_replicas_are_named_and_deleted_later(in_stand_in, deployed, releases):
    in_stand_in.proxy.replicas = {REQUEST: 100, RESPONSE: 0}
    printed = in_stand_in.upgrade(deployed, releases.new, "--new-functions", "second", "--replicas", "1", expect=3)
    assert f"Not deleted yet: {REQUEST}." in printed and "Run the same command again later" in printed
    assert in_stand_in.functions() == ["second-request", "second-response", REQUEST]
    in_stand_in.proxy.replicas = {}
    in_stand_in.upgrade(deployed, releases.new, "--new-functions", "second")
    assert in_stand_in.functions() == ["second-request", "second-response"]
    assert in_stand_in.versions("second-request") == ["1"]


def test_undeploy_detaches_first_and_retries(in_stand_in, deployed):
    printed = in_stand_in.run("undeploy", deployed)
    steps = ["viewer-request: ", "InProgress", "Deployed", "CloudFront still has replicas", f"{REQUEST}: deleted", "role"]
    assert sorted(steps, key=printed.index) == steps
    assert attached(in_stand_in, deployed) == [] and in_stand_in.functions() == []


def test_undeploy_ends_although_replicas_remain(in_stand_in, deployed):
    in_stand_in.proxy.replicas = {REQUEST: 100, RESPONSE: 100}
    printed = in_stand_in.run("undeploy", deployed, "--replicas", "1", expect=3)
    assert f"Not deleted yet: {REQUEST}, {RESPONSE}." in printed
    assert attached(in_stand_in, deployed) == []
    assert in_stand_in.iam.get_role(RoleName="wallarm-connector")
    in_stand_in.proxy.replicas = {}
    assert "nothing to change" in in_stand_in.run("undeploy", deployed)
    assert in_stand_in.functions() == [] and in_stand_in.iam.list_roles()["Roles"] == []


def test_deploy_waits_for_a_new_role_to_propagate(in_stand_in, releases):
    in_stand_in.proxy.unknown_role = 2
    printed = in_stand_in.deploy(in_stand_in.distribution(), releases.deployed)
    assert printed.count("the role has not propagated yet") == 2
    assert in_stand_in.functions() == [REQUEST, RESPONSE]


def doctor(account, distribution: str) -> subprocess.CompletedProcess:
    documents, _ = json.JSONDecoder().raw_decode(account.run("describe", distribution))
    return subprocess.run([TOOL, "doctor", "-"], input=json.dumps(documents), capture_output=True, text=True, check=False)


def test_the_doctor_sees_the_functions_and_their_role(in_stand_in, releases):
    all_viewer = behavior(OriginRequestPolicyId="216adef6-5c7f-47e4-b989-5492eafa07d3")
    deployed = in_stand_in.distribution(DefaultCacheBehavior=all_viewer)
    in_stand_in.deploy(deployed, releases.deployed)
    assert "body-rest-not-inspected" in doctor(in_stand_in, deployed).stdout
    in_stand_in.deploy(deployed, releases.deployed, "--stages", "viewer+origin")
    healthy = doctor(in_stand_in, deployed)
    assert (healthy.returncode, healthy.stdout) == (0, "no hazards found\n"), healthy.stderr
    trust = role.trust()
    trust["Statement"][0]["Principal"]["Service"] = "lambda.amazonaws.com"
    in_stand_in.iam.update_assume_role_policy(RoleName="wallarm-connector", PolicyDocument=json.dumps(trust))
    unhealthy = doctor(in_stand_in, deployed)
    assert unhealthy.returncode == 1 and "trust-missing" in unhealthy.stdout


def test_the_doctor_reads_cloudfront_policies(in_stand_in, releases):
    in_stand_in.proxy.policies = {
        "/2020-05-31/cache-policy/ours": CACHE_POLICY,
        "/2020-05-31/origin-request-policy/ours": ORIGIN_REQUEST_POLICY,
    }
    policies = {"CachePolicyId": "ours", "OriginRequestPolicyId": "ours"}
    distribution = in_stand_in.distribution(DefaultCacheBehavior=behavior(**policies))
    in_stand_in.deploy(distribution, releases.deployed, "--trigger", "origin")
    found = doctor(in_stand_in, distribution).stdout
    assert "not checked" not in found and found.endswith("6 hazards\n"), found
    assert "query parameters, the function at origin-request receives only page:" in found
    assert "headers, the function at origin-request receives only Accept, Authorization:" in found
    assert "cookies, the function at origin-request receives all except session:" in found
    assert all(code in found for code in ("host-not-seen", "cache-hits-not-inspected", "block-cached"))


CACHE_POLICY = f"""
<CachePolicy xmlns="{XMLNS}"><Id>ours</Id><LastModifiedTime>2026-01-01T00:00:00Z</LastModifiedTime><CachePolicyConfig>
  <Name>ours</Name><DefaultTTL>60</DefaultTTL><MaxTTL>60</MaxTTL><MinTTL>0</MinTTL>
  <ParametersInCacheKeyAndForwardedToOrigin>
    <EnableAcceptEncodingGzip>true</EnableAcceptEncodingGzip>
    <HeadersConfig>
      <HeaderBehavior>whitelist</HeaderBehavior><Headers><Quantity>1</Quantity><Items><Name>Accept</Name></Items></Headers>
    </HeadersConfig>
    <CookiesConfig><CookieBehavior>none</CookieBehavior></CookiesConfig>
    <QueryStringsConfig>
      <QueryStringBehavior>whitelist</QueryStringBehavior>
      <QueryStrings><Quantity>1</Quantity><Items><Name>page</Name></Items></QueryStrings>
    </QueryStringsConfig>
  </ParametersInCacheKeyAndForwardedToOrigin>
</CachePolicyConfig></CachePolicy>""".strip()
ORIGIN_REQUEST_POLICY = f"""
<OriginRequestPolicy xmlns="{XMLNS}"><Id>ours</Id><LastModifiedTime>2026-01-01T00:00:00Z</LastModifiedTime>
<OriginRequestPolicyConfig>
  <Name>ours</Name>
  <HeadersConfig>
    <HeaderBehavior>whitelist</HeaderBehavior>
    <Headers><Quantity>1</Quantity><Items><Name>Authorization</Name></Items></Headers>
  </HeadersConfig>
  <CookiesConfig>
    <CookieBehavior>allExcept</CookieBehavior><Cookies><Quantity>1</Quantity><Items><Name>session</Name></Items></Cookies>
  </CookiesConfig>
  <QueryStringsConfig><QueryStringBehavior>none</QueryStringBehavior></QueryStringsConfig>
</OriginRequestPolicyConfig></OriginRequestPolicy>""".strip()
