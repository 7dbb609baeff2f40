"""Command line: commands and options."""

import argparse
import json
from pathlib import Path
from typing import Optional

from botocore.exceptions import BotoCoreError, ClientError

from . import describe, naming, policy, steps
from .access_logs import Node
from .bundle import Tool
from .functions import Settings
from .progress import Refused, say, warn

#: CloudFront has not removed all replicas yet: the command must be repeated.
UNFINISHED = 3

ABOUT = """Deploys the connector's functions to an existing CloudFront distribution, upgrades and removes them.

  just bundle                                 build the two zips
  just deploy E123 --set wlrm_node_addr=https://node.example.com:5050
  just doctor E123                            list hazards of the distribution
  just upgrade E123                           new code, same values, same triggers
  just undeploy E123

Commands are idempotent and resume after an interruption. Credentials are read like those of other AWS tools (AWS_PROFILE,
~/.aws, the environment). `policy` prints the required permissions.

Exit codes: 0 done, 1 failed, 3 incomplete because of CloudFront's replicas; run the command again later."""


def main(arguments: Optional[list] = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except Refused as reason:
        warn(f"error: {reason}")
    except ClientError as error:
        reason = error.response["Error"]
        warn(f"error: AWS rejected {error.operation_name}: {reason.get('Code')}: {reason.get('Message', '')}")
    except BotoCoreError as error:
        warn(f"error: {error}")
    return 1


def _deploy(options) -> int:
    stages = options.stages.split("+")
    events = {f"{stage}-request": "request" for stage in stages}
    if options.response != "none":
        events[f"{options.response or stages[-1]}-response"] = "response"
    account = steps.Account()
    steps.deploy(
        account, account.distribution(options.distribution), options.name, _code(options), events,
        options.behavior, options.replace, options.role, not options.no_wait, _logs(options, account),
    )
    if "origin" not in stages:
        say("Bodies are inspected up to 40 KB; longer ones pass, and are counted. To inspect up to 1 MB, run deploy with "
            "--stages viewer+origin.")
    say("Deployed. Try it: curl -i https://<your distribution>/etc/passwd")
    return 0


def _upgrade(options) -> int:
    account = steps.Account()
    target, code, wait = account.distribution(options.distribution), _code(options), not options.no_wait
    if options.new_functions is None:
        steps.upgrade_in_place(account, target, options.name, code, wait)
    elif options.new_functions == options.name:
        raise Refused("the new functions need a different name")
    elif not steps.upgrade_to_new(
        account, target, options.name, options.new_functions, code, options.role, wait, options.replicas * 60
    ):
        return UNFINISHED
    say("Upgraded.")
    return 0


def _undeploy(options) -> int:
    account = steps.Account()
    target = account.distribution(options.distribution)
    if not steps.undeploy(account, target, options.name, options.replicas * 60):
        return UNFINISHED
    say("Undeployed.")
    return 0


def _describe(options) -> int:
    found = describe.documents(steps.Account(), options.distribution, options.logs)
    print(json.dumps(found, indent=2, default=str))
    return 0


def _policy(options) -> int:
    scope = policy.Scope(options.account, options.name)
    logs_scope = _logs_scope(options, scope) if options.logs_bucket else None
    documents = {"deployer": policy.deployer(scope, options.distribution), "boundary": policy.logs(scope)}
    if logs_scope:
        documents |= {"logs-deployer": policy.logs_deployer(logs_scope), "logs-boundary": policy.bucket(logs_scope)}
    elif options.only and options.only not in documents:
        raise Refused(f"{options.only} is about access logs; name their bucket with --logs-bucket")
    print(json.dumps(documents[options.only] if options.only else documents, indent=2))
    return 0


def _logs(options, account: steps.Account) -> Optional[steps.Logs]:
    if options.logs is None:
        return None
    if not (options.logs_bucket and options.logs_key):
        raise Refused("--logs needs --logs-bucket, which keeps the records that the node does not accept, and --logs-key, a "
                      "file with the node's logs.access_key_file")
    try:
        key = options.logs_key.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"cannot read the access key: {error}") from None
    if not key:
        raise Refused(f"{options.logs_key} is empty; it must have the access key of the node")
    return steps.Logs(Node(options.logs, key), _logs_scope(options, account.scope(options.name)))


def _logs_scope(options, scope: policy.Scope) -> policy.LogsScope:
    source = options.logs_source or naming.source_name(options.name, options.distribution)
    return policy.LogsScope(scope, options.distribution, options.logs_bucket, source)


def _code(options) -> steps.Code:
    settings = Settings(runtime=options.runtime, memory=options.memory)
    return steps.Code(Tool(options.tool), options.bundles, options.set, settings)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="deploy.py", description=ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run, about: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=about, description=about)
        added.set_defaults(run=run)
        added.add_argument("distribution", type=naming.distribution_id, metavar="DISTRIBUTION",
                           help="distribution id, such as E2EXAMPLE")
        return added

    deploy = command("deploy", _deploy, "Create or update the functions and attach them to a behavior.")
    deploy.add_argument("--behavior", default="*", metavar="PATTERN",
                        help="path pattern of the behavior; * is the default behavior (default: *)")
    deploy.add_argument("--stages", "--trigger", choices=("viewer", "origin", "viewer+origin"), default="viewer",
                        help="triggers of the request function. viewer: all requests, 40 KB of a body; origin: only requests "
                             "that the cache does not answer, 1 MB of a body; viewer+origin: all requests, and 1 MB of a "
                             "body (default: viewer)")
    deploy.add_argument("--response", choices=("viewer", "origin", "none"),
                        help="trigger of the response function; origin also reports statuses of 400 and above "
                             "(default: the last of --stages)")
    deploy.add_argument("--replace", action="store_true",
                        help="replace other functions at these triggers (default: fail)")
    deploy.add_argument("--logs", type=naming.logs_url, metavar="URL",
                        help="deliver the access logs to the node, too, by Firehose: its https:// address on port 443")
    deploy.add_argument("--logs-key", type=Path, metavar="FILE", help="file with the access key of the node")
    _logs_options(deploy)
    _code_options(deploy)
    _role_option(deploy)
    _wait_option(deploy)
    _name_option(deploy)

    upgrade = command("upgrade", _upgrade,
                      "Upgrade the functions; parameters and triggers stay unchanged.")
    ways = upgrade.add_mutually_exclusive_group()
    ways.add_argument("--in-place", action="store_true", help="publish new versions of the same functions (default)")
    ways.add_argument("--new-functions", type=naming.deployment_name, metavar="NAME",
                      help="replace the functions by new ones, NAME-request and NAME-response, and delete the old ones")
    _code_options(upgrade)
    _role_option(upgrade)
    _wait_option(upgrade)
    _replicas_option(upgrade)
    _name_option(upgrade)

    undeploy = command("undeploy", _undeploy, "Detach and delete the functions and their role.")
    _replicas_option(undeploy)
    _name_option(undeploy)

    described = command("describe", _describe, "Print the documents that the doctor needs, as JSON. Read-only.")
    described.add_argument("--logs", action="store_true", help="with the documents about access logs")

    permissions = command("policy", _policy, "Print the IAM policy for users of this tool, and the permissions boundary of "
                          "the functions' role. Makes no calls to AWS.")
    permissions.add_argument("--account", type=naming.account_id, default="123456789012", help="AWS account id")
    permissions.add_argument("--only", choices=("deployer", "boundary", "logs-deployer", "logs-boundary"),
                             help="print one of them (default: all)")
    _logs_options(permissions)
    _name_option(permissions)
    return parser


def _name_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--name", type=naming.deployment_name, default="wallarm-connector",
                        help="deployment name: functions NAME-request and NAME-response, role NAME; at most "
                             f"{naming.DEPLOYMENT_LIMIT} letters, digits, - and _ (default: wallarm-connector)")


def _logs_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--logs-bucket", type=naming.bucket, metavar="BUCKET",
                        help="existing bucket, which keeps the records of access logs that the node does not accept")
    parser.add_argument("--logs-source", type=naming.delivery_source, metavar="NAME",
                        help="delivery source of the distribution, if it has one already (default: create one)")


def _code_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE",
                        help="set a parameter; others keep the deployed value. Can be repeated")
    parser.add_argument("--bundles", type=Path, default=Path("dist"), metavar="DIR",
                        help="output folder of `just bundle` (default: dist)")
    parser.add_argument("--runtime", type=naming.runtime,
                        help="Python runtime of Lambda (default: python3.13; upgrades keep the deployed one)")
    parser.add_argument("--memory", type=int, metavar="MB", help="memory (default: 128; upgrades keep the deployed value)")
    parser.add_argument("--tool", type=Path, default=Path("target/debug/wallarm-connector"), metavar="FILE",
                        help="path of the program wallarm-connector")


def _role_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--role", metavar="ARN",
                        help="existing role for new functions; it must trust lambda.amazonaws.com and edgelambda.amazonaws.com "
                             "(default: create one)")


def _wait_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--no-wait", action="store_true", help="do not wait for CloudFront to deploy the distribution")


def _replicas_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--replicas", type=int, default=5, metavar="MINUTES",
                        help="how long to retry deleting functions with replicas (default: 5)")
