"""Commands and their options."""

import argparse
import json
from pathlib import Path
from typing import Optional

from botocore.exceptions import BotoCoreError, ClientError

from . import describe, policy, steps
from .bundle import Tool
from .functions import Settings
from .progress import Refused, say, warn

#: Something remains to be done later: replicas that CloudFront has not removed yet.
UNFINISHED = 3

ABOUT = """Puts the connector's functions before an existing CloudFront distribution, renews them, and takes them away.

  just bundle                                 makes the two zips
  just deploy E123 --set wlrm_node_addr=https://node.example.com:5050
  just doctor E123                            what would blind or break it there
  just upgrade E123                           new code, same values, same triggers
  just undeploy E123

Every command can be repeated: what is as it should be stays untouched, and what was interrupted goes on. Credentials come
from where AWS's tools look for them (AWS_PROFILE, ~/.aws, the environment). `policy` prints the permissions needed.

Exit codes: 0 done, 1 refused or failed, 3 done as far as AWS lets it; run it again later."""


def main(arguments: Optional[list] = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except Refused as reason:
        warn(f"error: {reason}")
    except ClientError as error:
        reason = error.response["Error"]
        warn(f"error: AWS refuses {error.operation_name}: {reason.get('Code')}: {reason.get('Message', '')}")
    except BotoCoreError as error:
        warn(f"error: {error}")
    return 1


def _deploy(options) -> int:
    side = options.trigger
    events = {"request": f"{side}-request"}
    if options.response != "none":
        events["response"] = f"{options.response or side}-response"
    account = steps.Account()
    steps.deploy(
        account, account.distribution(options.distribution), options.name, _code(options), events,
        options.behavior, options.replace, options.role, not options.no_wait,
    )
    say("Deployed. Try it: curl -i https://<your distribution>/etc/passwd")
    return 0


def _upgrade(options) -> int:
    account = steps.Account()
    target, code, wait = account.distribution(options.distribution), _code(options), not options.no_wait
    if options.new_functions is None:
        steps.upgrade_in_place(account, target, options.name, code, wait)
    elif options.new_functions == options.name:
        raise Refused("the new functions need another name than the old ones")
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
    found = describe.documents(steps.Account(), options.distribution)
    print(json.dumps(found, indent=2, default=str))
    return 0


def _policy(options) -> int:
    print(json.dumps(policy.deployer(options.account, options.distribution, options.name), indent=2))
    return 0


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
        added.add_argument("distribution", metavar="DISTRIBUTION", help="the distribution's id, like E2EXAMPLE")
        return added

    deploy = command("deploy", _deploy, "Create or update the functions and attach them to a behavior.")
    deploy.add_argument("--behavior", default="*", metavar="PATTERN",
                        help="the behavior's path pattern; * is the default behavior (default: *)")
    deploy.add_argument("--trigger", choices=("viewer", "origin"), default="viewer",
                        help="viewer: every request; origin: only what the cache cannot answer (default: viewer)")
    deploy.add_argument("--response", choices=("viewer", "origin", "none"),
                        help="where the response function goes; origin also reports statuses of 400 and above "
                             "(default: as --trigger)")
    deploy.add_argument("--replace", action="store_true",
                        help="take the place of other functions at these triggers; otherwise they are left alone")
    _code_options(deploy)
    _role_option(deploy)
    _wait_option(deploy)
    _name_option(deploy)

    upgrade = command("upgrade", _upgrade,
                      "Bring a new version in; the values of the deployed functions and their triggers stay.")
    ways = upgrade.add_mutually_exclusive_group()
    ways.add_argument("--in-place", action="store_true", help="new versions of the same functions (this is the default)")
    ways.add_argument("--new-functions", metavar="NAME",
                      help="new functions NAME-request and NAME-response take the places of the old ones, which are deleted")
    _code_options(upgrade)
    _role_option(upgrade)
    _wait_option(upgrade)
    _replicas_option(upgrade)
    _name_option(upgrade)

    undeploy = command("undeploy", _undeploy, "Detach the functions, then delete them and the role made for them.")
    _replicas_option(undeploy)
    _name_option(undeploy)

    command("describe", _describe, "Print, as JSON, the distribution and what else the doctor reads. Changes nothing.")

    permissions = command("policy", _policy, "Print the IAM policy that a user of this tool needs. Asks AWS nothing.")
    permissions.add_argument("--account", default="123456789012", help="the AWS account's number")
    _name_option(permissions)
    return parser


def _name_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--name", default="wallarm-connector",
                        help="the functions are NAME-request and NAME-response, their role is NAME "
                             "(default: wallarm-connector)")


def _code_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE",
                        help="set a parameter; all others keep the deployed function's values. May repeat")
    parser.add_argument("--bundles", type=Path, default=Path("dist"), metavar="DIR",
                        help="where `just bundle` put the zips (default: dist)")
    parser.add_argument("--runtime", help="Lambda's Python runtime (default: python3.13; upgrades keep what is)")
    parser.add_argument("--memory", type=int, metavar="MB", help="(default: 128; upgrades keep what is)")
    parser.add_argument("--tool", type=Path, default=Path("target/debug/wallarm-connector"), metavar="FILE",
                        help="the program wallarm-connector, which carries parameters over")


def _role_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--role", metavar="ARN",
                        help="a role of yours for new functions; lambda.amazonaws.com and edgelambda.amazonaws.com must be "
                             "trusted by it (default: one is made)")


def _wait_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--no-wait", action="store_true", help="do not wait until CloudFront has deployed the distribution")


def _replicas_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--replicas", type=int, default=5, metavar="MINUTES",
                        help="how long to try to delete functions that CloudFront has replicas of (default: 5)")
