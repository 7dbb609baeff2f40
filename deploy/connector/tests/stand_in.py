"""Proxy in front of moto's server that adds what moto does not model.

Proxy              serves the code of functions: moto's GetFunction returns an address that nothing serves. Stores the
                   fields of log deliveries that are updated.
CloudFrontStandIn  the parts of CloudFront that a deployment uses: associations are stored, a stale ETag is a 412, a
                   distribution takes a while to be deployed, and functions with replicas cannot be deleted.

Everything else is forwarded to moto. The rules are from AWS's documentation; none was observed on AWS.
"""

import base64
import json
import re
import threading
import xml.etree.ElementTree as ElementTree
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import requests

XMLNS = "http://cloudfront.amazonaws.com/doc/2020-05-31/"
HOP_BY_HOP = {"connection", "content-encoding", "content-length", "date", "server", "transfer-encoding"}


class Answer:
    def __init__(self, status: int, body: bytes, headers: dict):
        self.status, self.body, self.headers = status, body, headers


class Proxy:
    def __init__(self, moto: str):
        self.moto = moto
        self.url = ""
        self.reset()

    def reset(self) -> None:
        """Resets the state, moto's account included."""
        self.zips: dict = {}
        #: IAM actions that the caller may not use.
        self.denied: set = set()
        #: The fields of updated log deliveries, by id.
        self.record_fields: dict = {}
        requests.post(f"{self.moto}/moto-api/reset", timeout=30)

    def answer(self, method: str, path: str, headers: dict, body: bytes) -> Answer:
        if code := re.fullmatch(r"/code/(.+)", path):
            found = self.zips.get(code[1])
            return Answer(404 if found is None else 200, found or b"", {"Content-Type": "application/zip"})
        if (action := parse_qs(body).get(b"Action")) and action[0].decode() in self.denied:
            return access_denied()
        target = {name.lower(): value for name, value in headers.items()}.get("x-amz-target", "")
        if target.endswith(".UpdateDeliveryConfiguration"):
            update = json.loads(body)
            self.record_fields[update["id"]] = update["recordFields"]
            return Answer(200, b"{}", {"Content-Type": "application/x-amz-json-1.1"})
        answer = self.forward(method, path, headers, body)
        if target.endswith(".DescribeDeliveries"):
            listed = json.loads(answer.body)
            for delivery in listed["deliveries"]:
                delivery["recordFields"] = self.record_fields.get(delivery["id"], delivery.get("recordFields"))
            answer.body = json.dumps(listed).encode()
        function = re.fullmatch(r"/2015-03-31/functions(?:/([^/?]+))?(/code)?/?", path)
        if function and answer.status < 300:
            name = function[1]
            if method == "POST" and not name:
                created = json.loads(body)
                self.zips[created["FunctionName"]] = base64.b64decode(created["Code"]["ZipFile"])
            elif method == "PUT" and function[2]:
                self.zips[name] = base64.b64decode(json.loads(body)["ZipFile"])
            elif method == "GET" and name:
                details = json.loads(answer.body)
                details["Code"]["Location"] = f"{self.url}/code/{name}"
                answer.body = json.dumps(details).encode()
        return answer

    def forward(self, method: str, path: str, headers: dict, body: bytes) -> Answer:
        sent = {name: value for name, value in headers.items() if name.lower() not in HOP_BY_HOP | {"host"}}
        response = requests.request(method, self.moto + path, headers=sent, data=body, timeout=30)
        forwarded = {name: value for name, value in response.headers.items() if name.lower() not in HOP_BY_HOP}
        return Answer(response.status_code, response.content, forwarded)


class CloudFrontStandIn(Proxy):
    def reset(self) -> None:
        super().reset()
        self.id = "E2STANDIN"
        self.config = b""
        self.revision = 0
        #: Number of further GetDistribution calls that return InProgress.
        self.in_progress = 0
        #: Number of further attempts to delete a previously associated function that fail.
        self.replicas: dict = {}
        self.replicas_stay = 2
        #: A concurrent change to the configuration before our next update: bytes to bytes.
        self.meddle = None
        #: Number of further calls for which a new role has not propagated.
        self.unknown_role = 0
        self.updates: list = []
        #: Policies and real-time log configurations by their paths, as XML.
        self.policies: dict = {}

    def answer(self, method: str, path: str, headers: dict, body: bytes) -> Answer:
        if policy := self.policies.get(urlsplit(path).path):
            return Answer(200, policy.encode(), {"ETag": "E1", "Content-Type": "text/xml"})
        if path.startswith("/2020-05-31/distribution"):
            return self.distribution(method, urlsplit(path).path, headers, body)
        if method == "POST" and path == "/2015-03-31/functions" and self.unknown_role:
            self.unknown_role -= 1
            return lambda_refuses("The role defined for the function cannot be assumed by Lambda.")
        if method == "DELETE" and (function := re.fullmatch(r"/2015-03-31/functions/([^/?]+)", path)):
            if refusal := self.replicated(function[1]):
                return refusal
        return super().answer(method, path, headers, body)

    def distribution(self, method: str, path: str, headers: dict, body: bytes) -> Answer:
        if method == "POST":
            self.store(body)
            return self.describe(201)
        if path.split("/")[3] != self.id:
            return cloudfront_refuses(404, "NoSuchDistribution", "The specified distribution does not exist.")
        if method == "PUT":
            return self.update(headers, body)
        if path.endswith("/config"):
            return Answer(200, self.config, {"ETag": self.etag, "Content-Type": "text/xml"})
        self.in_progress = max(0, self.in_progress - 1)
        return self.describe(200)

    def update(self, headers: dict, body: bytes) -> Answer:
        if self.meddle:
            meddle, self.meddle = self.meddle, None
            self.store(meddle(self.config))
        if headers.get("If-Match") != self.etag:
            return cloudfront_refuses(412, "PreconditionFailed", "The precondition in one or more fields is false.")
        for behavior in behaviors(body):
            events = [event for event, _, _ in behavior]
            if len(events) != len(set(events)):
                return cloudfront_refuses(400, "InvalidLambdaFunctionAssociation", "One function per trigger.")
            for event, arn, include_body in behavior:
                if not re.fullmatch(r"arn:aws:lambda:us-east-1:\d{12}:function:[^:]+:\d+", arn):
                    return cloudfront_refuses(400, "InvalidLambdaFunctionAssociation", f"{arn} is not a numbered version.")
                if include_body and event.endswith("-response"):
                    return cloudfront_refuses(400, "InvalidLambdaFunctionAssociation", "Responses have no body.")
                self.replicas[arn.split(":")[6]] = self.replicas_stay
        self.store(body)
        self.updates.append(body)
        self.in_progress = 2
        return self.describe(200)

    def replicated(self, name: str):
        attached = any(arn.split(":")[6] == name for behavior in behaviors(self.config) for _, arn, _ in behavior)
        if not attached and not self.replicas.get(name):
            return None
        if not attached:
            self.replicas[name] -= 1
        arn = f"arn:aws:lambda:us-east-1:123456789012:function:{name}"
        return lambda_refuses(f"Lambda was unable to delete {arn}:1 because it is a replicated function.")

    def store(self, config: bytes) -> None:
        self.config = config
        self.revision += 1

    @property
    def etag(self) -> str:
        return f"E{self.revision}"

    def describe(self, status: int) -> Answer:
        config = re.sub(rb"^<\?xml[^>]*\?>", b"", self.config)
        state = "InProgress" if self.in_progress else "Deployed"
        body = (
            f'<Distribution xmlns="{XMLNS}"><Id>{self.id}</Id>'
            f"<ARN>arn:aws:cloudfront::123456789012:distribution/{self.id}</ARN><Status>{state}</Status>"
            "<LastModifiedTime>2026-01-01T00:00:00Z</LastModifiedTime>"
            "<InProgressInvalidationBatches>0</InProgressInvalidationBatches>"
            "<DomainName>d111111abcdef8.cloudfront.net</DomainName>"
        ).encode() + config + b"</Distribution>"
        return Answer(status, body, {"ETag": self.etag, "Content-Type": "text/xml"})


def behaviors(config: bytes) -> list:
    """The associations of each behavior: event, ARN, include body."""
    name = "{%s}" % XMLNS
    return [
        [
            (it.findtext(f"{name}EventType"), it.findtext(f"{name}LambdaFunctionARN"),
             it.findtext(f"{name}IncludeBody") == "true")
            for it in associations.iter(f"{name}LambdaFunctionAssociation")
        ]
        for associations in ElementTree.fromstring(config).iter(f"{name}LambdaFunctionAssociations")
    ]


def cloudfront_refuses(status: int, code: str, message: str) -> Answer:
    body = (f'<ErrorResponse xmlns="{XMLNS}"><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message>'
            "</Error><RequestId>0</RequestId></ErrorResponse>")
    return Answer(status, body.encode(), {"Content-Type": "text/xml"})


def access_denied() -> Answer:
    body = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not authorized</Message></Error></ErrorResponse>"
    return Answer(403, body.encode(), {"Content-Type": "text/xml"})


def lambda_refuses(message: str) -> Answer:
    body = json.dumps({"Type": "User", "message": message}).encode()
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": "InvalidParameterValueException"}
    return Answer(400, body, headers)


@contextmanager
def serve(proxy: Proxy):
    """Serves the proxy on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = proxy.answer(self.command, self.path, dict(self.headers), body)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = handle_any

        def log_message(self, *_arguments) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    proxy.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
