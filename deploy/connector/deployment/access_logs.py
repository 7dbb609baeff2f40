"""Access logs: standard logging (v2) of a distribution to the node, by a Firehose stream.

CloudWatch Logs connects a source (the distribution) with a destination (the stream) by a delivery, which selects the
fields. All of them are in us-east-1.
"""

from dataclasses import dataclass
from typing import Iterator, Optional

from botocore.exceptions import ClientError

from .policy import TAG, LogsScope
from .progress import Refused, poll, say

#: The fields that the node reads; `wallarm-connector doctor --logs` compares them with its own list.
FIELDS = [
    "timestamp(ms)", "DistributionId", "x-edge-request-id", "c-ip", "x-forwarded-for", "cs-method", "cs(Host)",
    "x-host-header", "cs-uri-stem", "cs-uri-query", "cs(User-Agent)", "cs(Referer)", "cs(Cookie)", "cs-protocol",
    "cs-protocol-version", "ssl-protocol", "sc-status", "sc-bytes", "time-taken", "x-edge-location",
    "x-edge-result-type", "x-edge-response-result-type", "x-edge-detailed-result-type", "c-country", "asn",
    "cache-behavior-path-pattern",
]
#: Seconds. A new role takes some time to propagate, a stream about a minute to become active.
ROLE_WAIT, STREAM_WAIT = 60, 300


@dataclass(frozen=True)
class Node:
    """Where Firehose delivers to, and its key there."""

    url: str
    access_key: str


class AccessLogs:
    """The log delivery of one distribution."""

    def __init__(self, logs, firehose, scope: LogsScope):
        self.logs, self.firehose, self.scope = logs, firehose, scope

    def check(self) -> None:
        """CloudFront's logs have one source for each distribution, and a source one delivery to Firehose."""
        for source in sources(self.logs, self.scope.distribution):
            if source["name"] != self.scope.source:
                raise Refused(f"{self.scope.distribution} has the delivery source {source['name']}; "
                              f"use it with --logs-source {source['name']}")
        other = self._delivery()
        if other and not other["deliveryDestinationArn"].endswith(self._destination_suffix):
            raise Refused(f"the delivery {other['id']} sends the logs of {self.scope.distribution} to another Firehose stream, "
                          f"and a source allows one; delete it: aws logs delete-delivery --region us-east-1 --id {other['id']}")

    def ensure(self, node: Node, role: str) -> None:
        """Creates or updates the stream, and delivers the logs to it."""
        stream = self._ensure_stream(node, role)
        if not any(sources(self.logs, self.scope.distribution)):
            self.logs.put_delivery_source(
                name=self.scope.source, resourceArn=self.scope.distribution_arn, logType="ACCESS_LOGS"
            )
        destination = self.logs.put_delivery_destination(
            name=self.scope.stream, outputFormat="json",
            deliveryDestinationConfiguration={"destinationResourceArn": stream},
        )["deliveryDestination"]["arn"]
        delivery = self._delivery()
        if delivery is None:
            self.logs.create_delivery(
                deliverySourceName=self.scope.source, deliveryDestinationArn=destination, recordFields=FIELDS
            )
            say(f"{self.scope.distribution}: access logs delivered to {self.scope.stream}")
        elif set(FIELDS) - set(delivery.get("recordFields", [])):
            self.logs.update_delivery_configuration(id=delivery["id"], recordFields=FIELDS)
            say(f"{self.scope.distribution}: access logs have all fields now")
        else:
            say(f"{self.scope.distribution}: access logs unchanged")

    def _ensure_stream(self, node: Node, role: str) -> str:
        name, destination = self.scope.stream, self._destination(node, role)
        found = _describe(self.firehose, name)
        if found is None:
            self._create_stream(name, destination)
        else:
            bucket = destination.pop("S3Configuration")
            self.firehose.update_destination(
                DeliveryStreamName=name,
                CurrentDeliveryStreamVersionId=found["VersionId"],
                DestinationId=found["Destinations"][0]["DestinationId"],
                HttpEndpointDestinationUpdate={**destination, "S3Update": bucket},
            )
            say(f"{name}: delivers to {node.url}")

        def active() -> Optional[str]:
            stream = _describe(self.firehose, name) or {}
            return stream["DeliveryStreamARN"] if stream.get("DeliveryStreamStatus") == "ACTIVE" else None

        arn = poll(active, every=10, limit=STREAM_WAIT)
        if arn is None:
            raise Refused(f"the stream {name} is not active after {STREAM_WAIT // 60} minutes; run the same command again later")
        return arn

    def _create_stream(self, name: str, destination: dict) -> None:
        def attempt() -> Optional[dict]:
            try:
                return self.firehose.create_delivery_stream(
                    DeliveryStreamName=name,
                    DeliveryStreamType="DirectPut",
                    HttpEndpointDestinationConfiguration=destination,
                    # CloudFront's log delivery may write to streams with this tag.
                    Tags=[{"Key": "LogDeliveryEnabled", "Value": "true"}, {"Key": TAG, "Value": self.scope.scope.deployment}],
                )
            except ClientError as error:
                if "assume" not in str(error):
                    raise
                say(f"{name}: the role has not propagated yet")
                rejected.append(error)
                return None

        rejected: list = []
        if poll(attempt, every=5, limit=ROLE_WAIT) is None:
            raise rejected[-1]
        say(f"{name}: created, delivers to {destination['EndpointConfiguration']['Url']}")

    def _destination(self, node: Node, role: str) -> dict:
        return {
            "EndpointConfiguration": {"Url": node.url, "Name": "wallarm-node", "AccessKey": node.access_key},
            # A record grows by a third in base64; nodes accept messages of 4 MiB by default.
            "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 10},
            "RequestConfiguration": {"ContentEncoding": "GZIP"},
            "RetryOptions": {"DurationInSeconds": 7200},
            "RoleARN": role,
            "S3BackupMode": "FailedDataOnly",
            "S3Configuration": {
                "RoleARN": role, "BucketARN": self.scope.bucket_arn, "Prefix": f"{self.scope.stream}/",
                "CompressionFormat": "GZIP",
            },
        }

    def _delivery(self) -> Optional[dict]:
        """The delivery of the distribution to a Firehose stream."""
        its = (it for it in pages(self.logs, "deliveries") if it["deliverySourceName"] == self.scope.source)
        return next((it for it in its if it["deliveryDestinationType"] == "FH"), None)

    @property
    def _destination_suffix(self) -> str:
        return f":delivery-destination:{self.scope.stream}"


def sources(logs, distribution_id: str) -> Iterator[dict]:
    """The delivery sources of a distribution."""
    suffix = f":distribution/{distribution_id}"
    for source in pages(logs, "delivery_sources"):
        if any(arn.endswith(suffix) for arn in source.get("resourceArns", [])):
            yield source


def pages(logs, what: str) -> Iterator[dict]:
    """All items of `describe_{what}`."""
    head, _, tail = what.partition("_")
    for page in logs.get_paginator(f"describe_{what}").paginate():
        yield from page.get(head + tail.capitalize(), [])


def _describe(firehose, name: str) -> Optional[dict]:
    try:
        return firehose.describe_delivery_stream(DeliveryStreamName=name)["DeliveryStreamDescription"]
    except firehose.exceptions.ResourceNotFoundException:
        return None

