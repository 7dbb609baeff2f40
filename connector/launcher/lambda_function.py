# Wallarm connector for Amazon CloudFront. Set the parameters; leave the rest as it is.

# Address of the node, without a path: "https://node.example.com:5050". Several, with commas between, are tried in order.
wlrm_node_addr = ""
# True: requests wait for the node's verdict and attacks can be blocked. False: the node gets copies (out-of-band).
wlrm_inline = True
# What becomes of a request the node could not inspect: "open" lets it go on, "closed" blocks it.
wlrm_fail_mode = "open"
# How long a visitor waits for the node at most, all addresses and retries included, in milliseconds (1 to 4500); and the
# same for functions at origin triggers, where it differs (1 to 25000).
wlrm_deadline_ms = 800
wlrm_origin_deadline_ms = None
# How long connecting to one address may take at most, in milliseconds (1 to 4500), name and TLS included.
wlrm_connect_timeout_ms = None
# How many more times all addresses are tried (0 to 10).
wlrm_retries = 0
# How long a connection is kept for the next call, in milliseconds (0 to 600000; 0: each call makes its own).
wlrm_keep_alive_ms = 30000
# After so many failed calls in a row (0 to 10; 0: never) the node is not asked for a pause (milliseconds, 1 to 4500).
wlrm_breaker_failures = 5
wlrm_breaker_pause_ms = 1000

# Certificates of the authorities that may vouch for the node, as PEM text, instead of the public ones.
wlrm_node_ca = None
# SHA-256 of the node's certificate or of its public key, as 64 hex digits: no other certificate is taken.
wlrm_node_pin = None
# True: http:// addresses are taken although requests would cross a network unencrypted.
wlrm_allow_plain_http = False
# The key that signs calls to the node, as the node's configuration has it.
wlrm_signing_key_id = None
wlrm_signing_key = None

# Number of the application behind this distribution (1 to 2147483647), shown with its hits.
wlrm_application = None
# Origin triggers only: the header that carries the viewer's host, if the origin request policy forwards one.
wlrm_host_header = None
# With proxies of yours before CloudFront: the header in which they name the viewer, and their addresses or networks.
wlrm_real_ip_header = None
wlrm_real_ip_from = None
# Requests that go on without the node; several with commas between. Paths such as "/static", methods such as "OPTIONS",
# endings of plain files such as "css,js". A path that could be read in two ways is inspected all the same.
wlrm_bypass_paths = None
wlrm_bypass_methods = None
wlrm_bypass_extensions = None
# False: bodies are not sent to the node.
wlrm_inspect_body = True
# Of a body the node gets at most so many bytes (1 to 1048576); a longer one counts as cut.
wlrm_body_limit = None
# A body that was cut, here or by CloudFront: "inspect" what there is of it, "block" the request, or let it "pass".
wlrm_truncated_body = "inspect"

# What a blocked visitor sees; what is not set here, the node decides. Status (400 to 599), page (HTML, where
# {{request_id}} stands for the request's id), or a URL to be sent to; and whom to ask, for the built-in page.
wlrm_block_status = None
wlrm_block_page = None
wlrm_block_redirect = None
wlrm_support_contact = None
# True: clients that ask for JSON get JSON.
wlrm_block_json = True
# A secret of 16 characters or more. Attacks with it in their header x-wallarm-block-me are blocked in monitoring, too.
wlrm_block_me = None

# Response function: False reports nothing.
wlrm_response_reports = True

# What is logged: "error", "warn" (requests not inspected), "info" (blocks, too) or "debug" (every request).
wlrm_log_level = "warn"

# Which function this is: "request" or "response". Each bundle comes with its own.
wlrm_function = "request"

# ---------------------------------------------------------------------------------------------------------------------
# Lambda imports this file before it asks for the first event. The import replaces Python by the program next to this
# file, which speaks to Lambda from then on. Only where that program cannot run does Python stay, and lets all pass.

import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))
_COPY = "/tmp/wallarm-bootstrap"


def _environment():
    parameters = {name.upper(): str(value) for name, value in globals().items() if name.startswith("wlrm_")}
    inherited = {name: value for name, value in os.environ.items() if name != "LD_LIBRARY_PATH"}
    return {**inherited, **parameters}


def _runnable(path):
    # execve cannot be taken back, so the program proves first that it loads here.
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
    except PermissionError:  # The zip was packed again by something that loses the executable bit.
        return _runnable(_copy(path))


try:
    _path = _program()
    os.execve(_path, [_path], _environment())
except Exception as cause:  # Raising would turn every request of the site into a 503.
    print(f"wallarm: the connector cannot run here, nothing is inspected: {cause!r}", file=sys.stderr)


def lambda_handler(event, _context):
    cf = event["Records"][0]["cf"]
    request_id = cf["config"].get("requestId")
    print(f"wallarm: not inspected, the connector cannot run here: {request_id}", file=sys.stderr)
    return cf.get("response") or cf["request"]
