# Handwritten HTTP for this one call: it only reads the node's own replies, without TLS. Not deployable; it shows how much
# of the difference is the standard library's HTTP client.

import socket
import time

DEADLINE_SECONDS = 0.8

_idle_connection = None

_HEAD = (
    f"POST /v1/inspect/request HTTP/1.1\r\ncontent-type: application/msgpack\r\nuser-agent: wallarm-cloudfront/{VERSION}\r\n"
    f"host: {NODE[0]}:{NODE[1]}\r\ncontent-length: "
).encode()


def _call(message):
    global _idle_connection
    call = b"%b%d\r\n\r\n%b" % (_HEAD, len(message), message)
    end = time.monotonic() + DEADLINE_SECONDS
    connection, _idle_connection = _idle_connection, None
    if connection is not None:
        try:
            return _exchange(connection, call, end)
        except ConnectionError:  # Stale, perhaps closed while the environment was frozen.
            connection.close()
    connection = socket.create_connection(NODE, timeout=_left(end))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return _exchange(connection, call, end)


def _exchange(connection, call, end):
    global _idle_connection
    connection.settimeout(_left(end))
    connection.sendall(call)
    data = _receive(connection)
    while (head_end := data.find(b"\r\n\r\n")) < 0:
        connection.settimeout(_left(end))
        data += _receive(connection)
    head = data[:head_end].lower()
    named = head.find(b"\r\ncontent-length:")
    length = int(head[named + 17 :].split(b"\r\n", 1)[0]) if named >= 0 else 0
    body = data[head_end + 4 :]
    while len(body) < length:
        connection.settimeout(_left(end))
        body += _receive(connection)
    _idle_connection = connection
    return int(data[9:12]), body


def _receive(connection):
    data = connection.recv(65536)
    if not data:
        raise ConnectionResetError("the node closed the connection")
    return data


def _left(end):
    return max(end - time.monotonic(), 0.001)
