"""Hooks of schemathesis: ids and revisions of existing objects, and a record of the operations that succeeded."""

import json
import os
import random
import urllib.request
import uuid

import schemathesis

ORIGIN, TOKEN = os.environ["FUZZ_ORIGIN"], os.environ["FUZZ_TOKEN"]
succeeded, users = set(), []


def call(method, path, body=None):
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json", "X-Forwarded-For": address()}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{ORIGIN}/api/v1{path}", data, headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer), answer.headers.get("ETag")


def address():
    """A random client address: sign-ins are throttled by address."""
    return f"203.0.113.{random.randrange(256)}"


def user():
    """The credentials of a user: mostly of the latest one, sometimes of a new one."""
    if users and random.random() < 0.9:
        return users[-1]
    name, password = f"user {uuid.uuid4()}", "correct horse battery"
    call("POST", "/users", {"name": name, "role": "analyst", "password": password})
    users.append({"user": name, "password": password})
    return users[-1]


def example_of(operation):
    """The example of the body of an operation of the document."""
    return next(iter(operation["requestBody"]["content"].values())).get("example")


def target(operation):
    """An object for the operation: a new one if the document has an example, otherwise the first of the list."""
    collection = operation.path.split("/{")[0]
    if collection == "/sessions":
        return call("POST", collection, user()) if random.random() < 0.5 else ({}, None)
    if collection == "/replays" and call("GET", collection)[0]["items"]:
        return call("GET", collection)[0]["items"][0], None  # One replay runs at a time.
    post = operation.schema.raw_schema["paths"].get(collection, {}).get("post")
    example = post and example_of(post)
    if collection == "/webhooks" and len(items := call("GET", f"{collection}?limit=50")[0]["items"]) > 20:
        return call("GET", f"{collection}/{random.choice(items)['id']}")  # The limit is a hundred webhooks.
    if example:
        if "url" in example:
            example = {**example, "url": f"{ORIGIN}/nothing"}
        if "name" in example:
            example = {**example, "name": f"object {uuid.uuid4()}"}
        return call("POST", collection, example)
    items = call("GET", "/attacks?mark=any" if collection == "/attacks" else collection)[0]["items"]
    if collection == "/nodes":
        return (items[0] if items else {}), None  # A node has no page of its own.
    return call("GET", f"{collection}/{items[0]['id']}") if items else ({}, None)


@schemathesis.hook
def before_call(context, case, kwargs):
    """Half of the calls that should succeed use an existing object."""
    path, positive = case.operation.path, case.meta and case.meta.generation.mode.is_positive
    if case.operation.label == "POST /sessions":
        case.headers["X-Forwarded-For"] = address()
        if positive:
            case.body = user()
        return
    if path == "/rules/test" and positive and random.random() < 0.3:
        case.body = example_of(case.operation.schema.raw_schema["paths"][path]["post"])  # Few other rules are detectors.
        return
    if "{version}" in path and positive:
        versions, tag = call("GET", "/rulesets?limit=5")
        known = [version["version"] for version in versions["items"]] or [0]
        case.path_parameters = {**(case.path_parameters or {}), "version": random.choice(known)}
        if case.headers and "If-Match" in case.headers:
            case.headers["If-Match"] = tag
        return
    # The token of this run must not be revoked.
    if "{id}" not in path or not (positive or path == "/tokens/{id}"):
        return
    if path.startswith("/hits"):
        target_object, tag = {"id": hit()}, None
    elif random.random() < 0.5 and path != "/tokens/{id}":
        return
    else:
        target_object, tag = target(case.operation)
    if "id" in target_object:
        case.path_parameters = {**(case.path_parameters or {}), "id": target_object["id"]}
    if tag and case.headers and "If-Match" in case.headers:
        case.headers["If-Match"] = tag
    if positive and path == "/users/{id}" and isinstance(case.body, dict):
        case.body["name"] = f"user {uuid.uuid4()}"


def hit():
    attack = call("GET", "/attacks?limit=1&mark=any")[0]["items"][0]["id"]
    return call("GET", f"/attacks/{attack}/hits?limit=1")[0]["items"][0]["id"]


@schemathesis.hook
def after_call(context, case, response):
    if 200 <= response.status_code < 300 and case.operation.label not in succeeded:
        succeeded.add(case.operation.label)
        with open(os.environ["FUZZ_SUCCESSES"], "a") as file:
            file.write(case.operation.label + "\n")
