"""Minimal Lambda Runtime API client, for machines without AWS's awslambdaric: `python3 -m minimal_runtime module.function`.

Like AWS's client it sets up `logging`, and imports the handler's module before it opens any connection, so that a module
that replaces the process leaves no half-open connection behind.
"""
import http.client
import importlib
import json
import logging
import os
import sys
import time
import traceback

BASE = "/2018-06-01/runtime/"


class Context:
    def __init__(self, headers):
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self._deadline_ms = int(headers["Lambda-Runtime-Deadline-Ms"])

    def get_remaining_time_in_millis(self):
        return max(0, self._deadline_ms - int(time.time() * 1000))


class LogFilter(logging.Filter):
    """Adds the id of the current invocation to each record; empty during the import of the module."""

    request_id = ""

    def filter(self, record):
        record.aws_request_id = self.request_id
        return True


def set_up_logging():
    """The root logger as AWS's client sets it up: one handler, its format, and the level left at WARNING."""
    logging.Formatter.converter = time.gmtime
    text = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s"
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter(text, "%Y-%m-%dT%H:%M:%S"))
    handler.addFilter(LogFilter())
    logging.getLogger().addHandler(handler)


class RuntimeApi:
    def __init__(self):
        self.connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])

    def call(self, method, path, body=None):
        self.connection.request(method, BASE + path, body, {"User-Agent": "e2e-minimal-runtime"})
        response = self.connection.getresponse()
        return response.headers, response.read()


def describe(error):
    trace = traceback.format_exception(type(error), error, error.__traceback__)
    sys.stderr.write("[ERROR] " + "".join(trace))
    details = {"errorType": type(error).__name__, "errorMessage": str(error), "stackTrace": trace}
    return json.dumps(details).encode()


def load(handler):
    module, _, function = handler.rpartition(".")
    return getattr(importlib.import_module(module), function)


def serve(api, handler):
    while True:
        headers, event = api.call("GET", "invocation/next")
        context = Context(headers)
        LogFilter.request_id = context.aws_request_id
        path = "invocation/" + context.aws_request_id
        try:
            result = json.dumps(handler(json.loads(event), context)).encode()
        except Exception as error:
            api.call("POST", path + "/error", describe(error))
        else:
            api.call("POST", path + "/response", result)


def main():
    sys.stdout.reconfigure(line_buffering=True)
    set_up_logging()
    sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
    try:
        handler = load(sys.argv[1])
    except Exception as error:
        RuntimeApi().call("POST", "init/error", describe(error))
        sys.exit(1)
    serve(RuntimeApi(), handler)


main()
