# The connector's request function in optimized Python: the same event, the same bytes to the node, the same result.
# `just bench-connector` checks that before it compares the two.
#
# The encoder is for this one message: constant parts are encoded at import. `_call` is in http_client.py or
# bare_socket.py, which follows these lines in the zip.
#
# Out of band it sends its copy before it returns. A Python handler cannot run later: after it returns, Lambda's
# client posts the reply and requests the next event, and the environment is frozen.
#
# Prepended settings: NODE = (host, port), INLINE = True or False, VERSION = "1.2.3".

import binascii
import hashlib


def lambda_handler(event, _context):
    cf = event["Records"][0]["cf"]
    request = cf["request"]
    request_id = _request_id(cf["config"])
    try:
        status, answer = _call(_message(request_id, cf["config"], request))
        if not INLINE:
            if status != 202:
                raise ValueError(f"the node answered {status}")
            return request
        verdict = _unpack(answer, 0)[0]
        if status != 200 or verdict["request_id"] != request_id or verdict["action"] not in ("allow", "block"):
            raise ValueError(f"the node answered {status}: {answer!r}")
    except Exception as cause:
        print(f"not inspected: {cause!r}")
        return request
    return request if verdict["action"] == "allow" else _block(verdict["block"])


def _request_id(config):
    text = config["distributionId"] + "\n" + config["requestId"]
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _block(block):
    headers = {}
    for name, value in block["headers"]:
        headers.setdefault(name.lower(), []).append({"key": name, "value": value})
    return {"status": str(block["status"]), "headers": headers, "body": block["body"]}


# --- The message, in MessagePack


def _text(text):
    data = text.encode()
    length = len(data)
    if length < 32:
        return _SHORT[length] + data
    if length < 256:
        return b"\xd9" + length.to_bytes(1, "big") + data
    if length < 65536:
        return b"\xda" + length.to_bytes(2, "big") + data
    return b"\xdb" + length.to_bytes(4, "big") + data


def _bytes(data):
    length = len(data)
    if length < 256:
        return b"\xc4" + length.to_bytes(1, "big") + data
    if length < 65536:
        return b"\xc5" + length.to_bytes(2, "big") + data
    return b"\xc6" + length.to_bytes(4, "big") + data


def _list(length):
    return bytes((0x90 | length,)) if length < 16 else b"\xdc" + length.to_bytes(2, "big")


_SHORT = [bytes((0xA0 | length,)) for length in range(32)]
_FIELD = {
    name: _text(name)
    for name in "event distribution_id distribution_domain edge_request_id client_ip method scheme host path query "
    "headers body body_truncated".split()
}
_START = _text("request_id")
_CONNECTOR = _text("connector") + b"\x86" + _text("kind") + _text("cloudfront") + _text("version") + _text(VERSION)
_DELIVERY = _text("delivery") + _text("inline" if INLINE else "out_of_band")


def _message(request_id, config, request):
    field = _FIELD
    headers = request["headers"]
    scheme = headers.get("cloudfront-forwarded-proto")
    body = request.get("body")
    pairs = [
        b"\x92" + _text(name) + _text(entry["value"]) for name, entries in headers.items() for entry in entries
    ]
    host = headers.get("host")
    parts = [
        bytes((0x80 | 10 + (scheme is not None) + (body is not None),)),
        _START, _text(request_id),
        _CONNECTOR,
        field["event"], _text(config["eventType"]),
        field["distribution_id"], _text(config["distributionId"]),
        field["distribution_domain"], _text(config["distributionDomainName"]),
        field["edge_request_id"], _text(config["requestId"]),
        _DELIVERY,
        field["client_ip"], _text(request["clientIp"]),
        field["method"], _text(request["method"]),
    ]  # fmt: skip
    if scheme is not None:
        parts += (field["scheme"], _text(scheme[0]["value"]))
    parts += (
        field["host"], _text(host[0]["value"] if host else ""),
        field["path"], _text(request["uri"]),
        field["query"], _text(request["querystring"]),
        field["headers"], _list(len(pairs)), *pairs,
    )  # fmt: skip
    if body is not None:
        parts += (field["body"], _bytes(binascii.a2b_base64(body["data"])))
    truncated = body is not None and body["inputTruncated"]
    parts += (field["body_truncated"], b"\xc3" if truncated else b"\xc2")
    return b"".join(parts)


# --- The verdict


def _unpack(data, at):
    kind = data[at]
    if 0xA0 <= kind < 0xC0:
        end = at + 1 + (kind & 0x1F)
        return data[at + 1 : end].decode(), end
    if kind < 0x80:
        return kind, at + 1
    if kind < 0x90:
        return _unpack_map(data, at + 1, kind & 0x0F)
    if kind < 0xA0:
        return _unpack_list(data, at + 1, kind & 0x0F)
    if kind in _CONSTANTS:
        return _CONSTANTS[kind], at + 1
    width = _WIDTHS[kind]
    start = at + 1 + width
    number = int.from_bytes(data[at + 1 : start], "big")
    if kind in (0xD9, 0xDA, 0xDB):
        return data[start : start + number].decode(), start + number
    if kind in (0xDC, 0xDD):
        return _unpack_list(data, start, number)
    if kind in (0xDE, 0xDF):
        return _unpack_map(data, start, number)
    return number, start


def _unpack_map(data, at, length):
    values = {}
    for _ in range(length):
        key, at = _unpack(data, at)
        values[key], at = _unpack(data, at)
    return values, at


def _unpack_list(data, at, length):
    values = []
    for _ in range(length):
        value, at = _unpack(data, at)
        values.append(value)
    return values, at


_CONSTANTS = {0xC0: None, 0xC2: False, 0xC3: True}
_WIDTHS = {
    0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD9: 1, 0xDA: 2, 0xDB: 4, 0xDC: 2, 0xDD: 4, 0xDE: 2, 0xDF: 4,
}  # fmt: skip
