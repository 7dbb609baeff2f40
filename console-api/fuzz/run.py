"""Fuzzing of the API with schemathesis: valid and invalid calls of every operation of the OpenAPI document.

Fails if the console returns 500, returns a status or a body that the document does not contain, accepts a call that the
document forbids, or never returns 2xx for an operation. Options: `--help`.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONSOLE = ROOT / "target/debug/wallarm-console"
CONNECTOR = ROOT / "target/debug/wallarm-connector"
# The first two need a session of a user, not a token; the last one removes the only node.
LEFT_OUT = ["/account/password", "/account/sessions/{id}", "/nodes/{id}"]
STREAMS = ["/attacks/stream", "/requests/stream"]  # endless, so they are not called by schemathesis, but in `unanswered`
# Schemas cannot describe the search language, rules, cursors and times: the console may reject a call that the schema
# allows. `unanswered` checks that each operation succeeds at least once.
SKIPPED_CHECKS = "positive_data_acceptance"
# Nodes may be newer than the console, which ignores unknown fields.
SKIPPED_CHECKS_FOR_NODES = "positive_data_acceptance,negative_data_rejection"
NODES = ["/ingest", "/node/config"]


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=int, default=90, help="duration; operations of nodes get a sixth in addition")
    options.add_argument("--hits", type=int, default=2000, help="number of generated hits")
    options.add_argument("--seed", type=int, default=1, help="seed of the generated calls")
    options = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(run(pathlib.Path(folder), options))


def run(data, options):
    subprocess.run([CONSOLE, "seed", "--data", data, "--hits", str(options.hits)], check=True)
    subprocess.run([CONNECTOR, "bundle", "--bootstrap", CONNECTOR, "--out", data / "bundles"], check=True, stdout=subprocess.DEVNULL)
    flags = ["--listen", "127.0.0.1:0", "--node-token-file", data / "node-token", "--bundle-dir", data / "bundles", "--webhook-allow", "127.0.0.0/8"]
    command = [CONSOLE, "serve", "--data", data, "--log-format", "json", *flags]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as console:
        try:
            address = next(line["address"] for line in map(json.loads, console.stderr) if "address" in line)
            log = open(data / "console.log", "w")
            subprocess.Popen(["cat"], stdin=console.stderr, stdout=log)
            failed = [role for role, seconds in [("admin", options.seconds), ("node", options.seconds // 6)]
                      if not schemathesis(f"http://{address}", data, role, max(seconds, 5), options.seed)]
            missing = unanswered(f"http://{address}", data)
            errors = [line for line in open(data / "console.log") if '"level":"ERROR"' in line]
        finally:
            console.terminate()
    for line in errors[:10]:
        print("the console's log:", line.strip())
    for operation in missing:
        print("never responded with 2xx:", operation)
    print("red" if failed or missing or errors else "green: every operation responded with 2xx, and none wrongly")
    return 1 if failed or missing or errors else 0


def schemathesis(origin, data, role, seconds, seed):
    tools = ROOT / "target/tools/schemathesis"
    selection = "--include-path" if role == "node" else "--exclude-path"
    paths = [flag for path in NODES + (STREAMS + LEFT_OUT if role != "node" else []) for flag in (selection, path)]
    token = (data / f"{role}-token").read_text().strip()
    environment = {
        "PYTHONPATH": f"{tools}{os.pathsep}{ROOT / 'console-api/fuzz'}",
        "SCHEMATHESIS_HOOKS": "hooks",
        "FUZZ_TOKEN": token,
        "FUZZ_ORIGIN": origin,
        "FUZZ_SUCCESSES": str(data / "successes"),
    }
    command = [
        sys.executable, tools / "bin/schemathesis", "--config-file", ROOT / "console-api/fuzz/schemathesis.toml", "run", f"{origin}/api/v1/openapi.json",
        "--header", f"Authorization: Bearer {token}", "--checks", "all", "--exclude-checks", SKIPPED_CHECKS_FOR_NODES if role == "node" else SKIPPED_CHECKS, "--max-time", str(seconds), "--seed", str(seed),
        "--request-timeout", "70", "--suppress-health-check", "all", "--warnings", "off", *paths,
    ]  # fmt: skip
    print(f"== as {role}", flush=True)
    return subprocess.run(command, cwd=data, env=os.environ | environment).returncode == 0


def unanswered(origin, data):
    """The operations that never returned 2xx."""
    token = (data / "admin-token").read_text().strip()
    answered = set((data / "successes").read_text().splitlines())
    for path in STREAMS:
        request = urllib.request.Request(f"{origin}/api/v1{path}", headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            if answer.status == 200 and answer.headers["Content-Type"] == "text/event-stream":
                answered.add(f"GET {path}")
    document = json.load(urllib.request.urlopen(f"{origin}/api/v1/openapi.json"))
    operations = {f"{method.upper()} {path}" for path, item in document["paths"].items() if path not in LEFT_OUT for method in item}
    print(f"responded with 2xx: {len(operations & answered)} of {len(operations)} operations")
    return sorted(operations - answered)


if __name__ == "__main__":
    main()
