"""Names of a deployment's functions, and validation of options."""

import argparse
import re

KINDS = ("request", "response")
#: Lambda's limit for the names of functions: https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html.
#: IAM's limit for the names of roles is the same, with more characters.
NAME_LIMIT = 64
DEPLOYMENT_LIMIT = NAME_LIMIT - max(len(f"-{kind}") for kind in KINDS)
#: Minor version of the oldest Python runtime that AWS supports; dates: connector/src/doctor/lifetime.rs.
OLDEST_PYTHON = 11


def function_name(deployment: str, kind: str) -> str:
    return f"{deployment}-{kind}"


def function_names(deployment: str) -> set:
    return {function_name(deployment, kind) for kind in KINDS}


def deployment_name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]+", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{text!r}: only letters A-Z and a-z, digits, - and _ are allowed")
    if len(text) > DEPLOYMENT_LIMIT:
        raise argparse.ArgumentTypeError(
            f"{text!r} has {len(text)} characters; the limit is {DEPLOYMENT_LIMIT}, because the names of functions, such as "
            f"NAME-response, have at most {NAME_LIMIT}"
        )
    return text


def matching(pattern: str, wanted: str):
    """An option's type: texts that match the whole pattern."""

    def parse(text: str) -> str:
        if not re.fullmatch(pattern, text, re.ASCII):
            raise argparse.ArgumentTypeError(f"{text!r} is not {wanted}")
        return text

    return parse


distribution_id = matching(r"[A-Z0-9]+", "a distribution id, such as E2EXAMPLE")
bucket = matching(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "the name of an S3 bucket")
#: CloudWatch Logs' limit: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutDeliverySource.html.
delivery_source = matching(r"[A-Za-z0-9_-]{1,60}", "the name of a delivery source, of at most 60 letters, digits, - and _")
account_id = matching(r"\d{12}", "an account id of 12 digits")


def runtime(text: str) -> str:
    """A Python runtime that AWS supports: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html."""
    minor = re.fullmatch(r"python3\.(\d+)", text, re.ASCII)
    if not minor or int(minor[1]) < OLDEST_PYTHON:
        raise argparse.ArgumentTypeError(
            f"{text!r}: use python3.13; AWS supports python3.{OLDEST_PYTHON} and newer"
        )
    return text


def logs_url(text: str) -> str:
    """Firehose delivers to https:// and port 443 only; the path of the node's endpoint is added."""
    url = re.fullmatch(r"(https://[A-Za-z0-9.-]+)(?::443)?(/[A-Za-z0-9._~/-]*)?", text, re.ASCII)
    if not url:
        raise argparse.ArgumentTypeError(f"{text!r}: must be https:// and a name, without another port than 443")
    return url[1] + (url[2] if url[2] not in (None, "/") else "/v1/logs/firehose")


def source_name(deployment: str, distribution: str) -> str:
    """The delivery source that the tool creates: cut to the limit before the distribution's id."""
    return f"{deployment[:59 - len(distribution)]}-{distribution}"
