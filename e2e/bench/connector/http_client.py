# The standard library's HTTP client, on one persistent connection: like the connector it reads any valid reply, and
# supports TLS.

import http.client
import time

DEADLINE_SECONDS = 0.8

_idle_connection = None


def _call(message):
    global _idle_connection
    end = time.monotonic() + DEADLINE_SECONDS
    connection, _idle_connection = _idle_connection, None
    if connection is not None:
        try:
            return _exchange(connection, message, end)
        except (ConnectionError, http.client.BadStatusLine):  # Stale, perhaps closed while the environment was frozen.
            connection.close()
    return _exchange(http.client.HTTPConnection(*NODE), message, end)


def _exchange(connection, message, end):
    global _idle_connection
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
    _idle_connection = connection
    return response.status, body


_USER_AGENT = f"wallarm-cloudfront/{VERSION}"
