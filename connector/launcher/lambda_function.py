# Wallarm connector for Amazon CloudFront. Set the parameters; do not change the code below them.

# Address of the node without a path: "https://node.example.com:5050". Comma-separated addresses are tried in order.
wlrm_node_addr = ""
# True: requests wait for the verdict, and attacks can be blocked. False: the node receives copies (out of band).
wlrm_inline = True
# Requests that could not be inspected: "open" forwards them, "closed" blocks them.
wlrm_fail_mode = "open"
# Deadline for the node in milliseconds, all addresses and retries included (1 to 4500), and the deadline at origin
# triggers (1 to 25000; None: the same).
wlrm_deadline_ms = 800
wlrm_origin_deadline_ms = None
# Limit for connecting to one address in milliseconds (1 to 4500), name resolution and TLS included.
wlrm_connect_timeout_ms = None
# Additional rounds over all addresses (0 to 10).
wlrm_retries = 0
# How long an idle connection is kept, in milliseconds (0 to 600000; 0: each call opens its own).
wlrm_keep_alive_ms = 30000
# Circuit breaker: consecutive failed calls that open it (0 to 10; 0: never), and its pause in milliseconds (1 to 4500).
wlrm_breaker_failures = 5
wlrm_breaker_pause_ms = 1000

# Certificates of the authorities for the node, as PEM text, instead of the public ones.
wlrm_node_ca = None
# SHA-256 of the node's certificate or public key, as 64 hex digits: no other certificate is accepted.
wlrm_node_pin = None
# True: accept http:// addresses, although requests cross a network unencrypted.
wlrm_allow_plain_http = False
# Key that signs calls to the node, as in the node's configuration.
wlrm_signing_key_id = None
wlrm_signing_key = None

# Id of the application behind this distribution (1 to 2147483647), shown with its hits.
wlrm_application = None
# Origin triggers only: the header with the viewer's host, if the origin request policy forwards one.
wlrm_host_header = None
# With your own proxies in front of CloudFront: the header with the viewer's address, and the proxies' networks.
wlrm_real_ip_header = None
wlrm_real_ip_from = None
# Two stages: the secret with which the function at viewer-request marks what it inspected, for the same function at
# origin-request. At least 32 characters; during a rotation "new,old". None: one stage.
wlrm_mark_keys = None
# Requests that are not inspected, comma-separated: paths such as "/static", methods such as "OPTIONS", extensions of
# static files such as "css,js". Ambiguous paths are always inspected.
wlrm_bypass_paths = None
wlrm_bypass_methods = None
wlrm_bypass_extensions = None
# False: bodies are not sent to the node.
wlrm_inspect_body = True
# Largest part of a body sent to the node, in bytes (1 to 1048576); longer bodies are truncated.
wlrm_body_limit = None
# Bodies truncated by this limit or by CloudFront. "auto": the part is inspected; text beyond the 1 MB that CloudFront
# shows at origin-request is blocked, and at viewer-request what looks like padding. "inspect" the part only, "block" the
# request, or let it "pass".
wlrm_truncated_body = "auto"

# Block page; the node's settings apply to unset values: status (400 to 599), HTML page ({{request_id}} is replaced by
# the request's id), redirect URL, and the contact on the built-in page.
wlrm_block_status = None
wlrm_block_page = None
wlrm_block_redirect = None
wlrm_support_contact = None
# True: clients that accept JSON receive JSON.
wlrm_block_json = True
# Secret of at least 16 characters. Attacks with it in the header x-wallarm-block-me are blocked in monitoring, too.
wlrm_block_me = None

# Response function: False disables response reports.
wlrm_response_reports = True

# Log level: "error", "warn" (requests not inspected), "info" (blocks, too) or "debug" (every request).
wlrm_log_level = "warn"

# The function: "request" or "response". Set in each bundle.
wlrm_function = "request"

# ---------------------------------------------------------------------------------------------------------------------
# Lambda imports this file before it polls the first event. The import replaces the Python process by the program next
# to this file, which then uses the Lambda Runtime API itself. If the program cannot run, Python forwards all requests.

import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))
_COPY = "/tmp/wallarm-bootstrap"


def _environment():
    parameters = {name.upper(): str(value) for name, value in globals().items() if name.startswith("wlrm_")}
    inherited = {name: value for name, value in os.environ.items() if name != "LD_LIBRARY_PATH"}
    return {**inherited, **parameters}


def _runnable(path):
    # execve is irreversible: first check that the program loads here.
    quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    child = os.posix_spawn(path, [path, "--selftest"], {}, file_actions=quiet)
    _, status = os.waitpid(child, 0)
    if status != 0:
        raise RuntimeError(f"{path} --selftest ended with {os.waitstatus_to_exitcode(status)}")
    return path


def _copy(path):
    fresh = f"{_COPY}-{os.getpid()}"
    with open(path, "rb") as program, open(fresh, "wb") as copy:
        copy.write(program.read())
    os.chmod(fresh, 0o755)
    os.replace(fresh, _COPY)
    return _COPY


def _program():
    path = os.path.join(_HERE, "bootstrap")
    try:
        return _runnable(path)
    except PermissionError:  # The zip was repacked without the executable bit.
        return _runnable(_copy(path))


try:
    _path = _program()
    os.execve(_path, [_path], _environment())
except Exception as cause:  # An exception would turn every request of the site into a 503.
    print(f"wallarm: cannot run the connector, no request is inspected: {cause!r}", file=sys.stderr)


def lambda_handler(event, _context):
    cf = event["Records"][0]["cf"]
    request_id = cf["config"].get("requestId")
    print(f"wallarm: not inspected, cannot run the connector: {request_id}", file=sys.stderr)
    cf["request"].get("headers", {}).pop("x-wallarm-mark", None)  # The origin never gets the mark of another stage.
    return cf.get("response") or cf["request"]
