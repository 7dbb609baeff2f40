# The standard library's HTTP client, on one persistent connection: like the connector it reads any valid reply, and
# supports TLS.

import http.client
import time

DEADLINE_SECONDS = 0.8

_kept = None


def _call(message):
    global _kept
    end = time.monotonic() + DEADLINE_SECONDS
    kept, _kept = _kept, None
    if kept is not None:
        try:
            return _exchange(kept, message, end)
        except (ConnectionError, http.client.BadStatusLine):  # Stale, perhaps closed while the environment was frozen.
            kept.close()
    return _exchange(http.client.HTTPConnection(*NODE), message, end)


def _exchange(connection, message, end):
    global _kept
    connection.timeout = left = max(end - time.monotonic(), 0.001)
    if connection.sock is not None:
        connection.sock.settimeout(left)
    # One write for head and body; http.client itself sets TCP_NODELAY.
    connection.putrequest("POST", "/v1/inspect/request", skip_accept_encoding=True)
    connection.putheader("content-type", "application/msgpack")
    connection.putheader("user-agent", _USER_AGENT)
    connection.putheader("content-length", str(len(message)))
    connection.endheaders(message)
    response = connection.getresponse()
    body = response.read()
    _kept = connection
    return response.status, body


_USER_AGENT = f"wallarm-cloudfront/{VERSION}"
