"""Calls every operation of a real console as its OpenAPI document allows and forbids, with schemathesis.

Red when the console fails (500), answers with a status or a body that the document does not have, takes what the document
forbids, or never answered an operation with 2xx. The options are those of `--help`.
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
STREAM = "/attacks/stream"  # has no end, so it is called here
# What the search language, rules, cursors and times allow is more than a schema can say: what it allows may be refused. That
# each operation succeeds at all is looked at here.
LOOSER = "positive_data_acceptance"
# And nodes may be newer than the console, which then takes what it understands.
LOOSER_FOR_NODES = "positive_data_acceptance,negative_data_rejection"
NODES = ["/ingest", "/node/config"]


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=int, default=90, help="how long, of people's operations and of nodes' together")
    options.add_argument("--hits", type=int, default=2000, help="how many made-up hits the console has")
    options.add_argument("--seed", type=int, default=1, help="of what is sent; the same seed sends the same")
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
        print("never answered with 2xx:", operation)
    print("red" if failed or missing or errors else "green: every operation was answered with 2xx, and none wrongly")
    return 1 if failed or missing or errors else 0


def schemathesis(origin, data, role, seconds, seed):
    tools = ROOT / "target/tools/schemathesis"
    where = "--include-path" if role == "node" else "--exclude-path"
    paths = [flag for path in NODES + [STREAM] * (role != "node") for flag in (where, path)]
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
        "--header", f"Authorization: Bearer {token}", "--checks", "all", "--exclude-checks", LOOSER_FOR_NODES if role == "node" else LOOSER, "--max-time", str(seconds), "--seed", str(seed),
        "--request-timeout", "70", "--suppress-health-check", "all", "--warnings", "off", *paths,
    ]  # fmt: skip
    print(f"== as {role}", flush=True)
    return subprocess.run(command, cwd=data, env=os.environ | environment).returncode == 0


def unanswered(origin, data):
    """The operations that never answered with 2xx."""
    token = (data / "admin-token").read_text().strip()
    request = urllib.request.Request(f"{origin}/api/v1{STREAM}", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        streams = answer.status == 200 and answer.headers["Content-Type"] == "text/event-stream"
    document = json.load(urllib.request.urlopen(f"{origin}/api/v1/openapi.json"))
    all_of_them = {f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item}
    answered = set((data / "successes").read_text().splitlines()) | ({f"GET {STREAM}"} if streams else set())
    print(f"answered with 2xx: {len(all_of_them & answered)} of {len(all_of_them)} operations")
    return sorted(all_of_them - answered)


if __name__ == "__main__":
    main()
