"""What schemathesis cannot know: ids and tags of what is there. It also notes which operations succeeded."""

import json
import os
import random
import urllib.request
import uuid

import schemathesis

ORIGIN, TOKEN = os.environ["FUZZ_ORIGIN"], os.environ["FUZZ_TOKEN"]
seen, people = set(), []


def call(method, path, body=None):
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json", "X-Forwarded-For": address()}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{ORIGIN}/api/v1{path}", data, headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer), answer.headers.get("ETag")


def address():
    """Sign-ins are counted by address."""
    return f"203.0.113.{random.randrange(256)}"


def user():
    """Somebody who can sign in."""
    if people and random.random() < 0.9:
        return people[-1]
    name, password = f"user {uuid.uuid4()}", "correct horse battery"
    call("POST", "/users", {"name": name, "role": "analyst", "password": password})
    people.append({"user": name, "password": password})
    return people[-1]


def fresh(operation):
    """Something the operation can be about: a new one where the document has an example of one, else the first of the list."""
    thing = operation.path.split("/{")[0]
    if thing == "/sessions":
        return call("POST", thing, user()) if random.random() < 0.5 else ({}, None)
    if thing == "/replays" and call("GET", thing)[0]["items"]:
        return call("GET", thing)[0]["items"][0], None  # While one runs, another is refused.
    post = operation.schema.raw_schema["paths"].get(thing, {}).get("post")
    example = post and next(iter(post["requestBody"]["content"].values())).get("example")
    if thing == "/webhooks" and len(items := call("GET", f"{thing}?limit=50")[0]["items"]) > 20:
        return call("GET", f"{thing}/{random.choice(items)['id']}")  # There may be a hundred of them.
    if example:
        if "url" in example:
            example = {**example, "url": f"{ORIGIN}/nothing"}
        if "name" in example:
            example = {**example, "name": f"thing {uuid.uuid4()}"}
        return call("POST", thing, example)
    items = call("GET", "/attacks?mark=any" if thing == "/attacks" else thing)[0]["items"]
    return call("GET", f"{thing}/{items[0]['id']}") if items else ({}, None)


@schemathesis.hook
def before_call(context, case, kwargs):
    """Half of the calls that should succeed are about something that is there."""
    path, positive = case.operation.path, case.meta and case.meta.generation.mode.is_positive
    if case.operation.label == "POST /sessions":
        case.headers["X-Forwarded-For"] = address()
        if positive:
            case.body = user()
        return
    if "{version}" in path and positive:
        versions, tag = call("GET", "/rulesets?limit=5")
        known = [version["version"] for version in versions["items"]] or [0]
        case.path_parameters = {**(case.path_parameters or {}), "version": random.choice(known)}
        if case.headers and "If-Match" in case.headers:
            case.headers["If-Match"] = tag
        return
    # Its own token must not be taken back.
    if "{id}" not in path or not (positive or path == "/tokens/{id}"):
        return
    if path.startswith("/hits"):
        thing, tag = {"id": hit()}, None
    elif random.random() < 0.5 and path != "/tokens/{id}":
        return
    else:
        thing, tag = fresh(case.operation)
    if "id" in thing:
        case.path_parameters = {**(case.path_parameters or {}), "id": thing["id"]}
    if tag and case.headers and "If-Match" in case.headers:
        case.headers["If-Match"] = tag
    if positive and path == "/users/{id}" and isinstance(case.body, dict):
        case.body["name"] = f"user {uuid.uuid4()}"


def hit():
    attack = call("GET", "/attacks?limit=1&mark=any")[0]["items"][0]["id"]
    return call("GET", f"/attacks/{attack}/hits?limit=1")[0]["items"][0]["id"]


@schemathesis.hook
def after_call(context, case, response):
    if 200 <= response.status_code < 300 and case.operation.label not in seen:
        seen.add(case.operation.label)
        with open(os.environ["FUZZ_SUCCESSES"], "a") as file:
            file.write(case.operation.label + "\n")
