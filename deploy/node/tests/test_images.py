"""The images and compose.yaml: linted and checked; built where a Docker daemon answers.

CI has no daemon. Tests that need one are skipped there, with the reason in the output, and do not fail: unlike other tools,
a daemon cannot be installed.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

FOLDER = Path(__file__).parents[1]
ROOT = FOLDER.parents[1]
DOCKERFILE = (FOLDER / "Dockerfile").read_text()
SERVICES = yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"]
TOKEN = "token:/var/lib/wallarm-token"


def run(*command, **options) -> subprocess.CompletedProcess:
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def final_stage(name: str) -> str:
    return re.search(rf"^FROM scratch AS {name}$(.*?)(?=^FROM|\Z)", DOCKERFILE, re.MULTILINE | re.DOTALL)[1]


def user_of(name: str) -> str:
    return re.search(r"^USER (\d+):\1$", final_stage(name), re.MULTILINE)[1]


def test_hadolint_accepts_the_dockerfile():
    tool = shutil.which("hadolint", path=":".join(str(Path(folder) / "bin") for folder in sys.path))
    assert tool, "hadolint is missing; `just test-deploy` installs it"
    done = run(tool, "--failure-threshold", "style", FOLDER / "Dockerfile")
    assert done.returncode == 0, done.stdout + done.stderr


def test_compose_yaml_is_valid_by_the_schema_of_the_compose_specification():
    done = run(sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", FOLDER / "compose.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_base_image_is_pinned_by_the_toolchain_and_a_digest():
    toolchain = re.search(r'channel = "([^"]+)"', (ROOT / "rust-toolchain.toml").read_text())[1]
    bases = [base for base in re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE) if ":" in base]
    [base] = bases
    assert re.fullmatch(rf"rust:{re.escape(toolchain)}-bookworm@sha256:[0-9a-f]{{64}}", base)


def test_node_and_console_have_different_users_without_privileges():
    users = {user_of(name) for name in SERVICES}
    assert len(users) == len(SERVICES) == 2 and "0" not in users
    for name, service in SERVICES.items():
        assert service["build"]["target"] == name and "user" not in service
        assert service["read_only"] is True and service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert f'"{user_of(name)}"' not in service.get("group_add", [])


def test_the_node_shares_with_the_console_only_its_token_and_cannot_write_it():
    sources = {name: {mount.split(":")[0] for mount in service["volumes"]} for name, service in SERVICES.items()}
    assert sources["node"] & sources["console"] == {"token"}
    assert TOKEN in SERVICES["console"]["volumes"] and f"{TOKEN}:ro" in SERVICES["node"]["volumes"]
    assert SERVICES["node"]["group_add"] == [user_of("console")] and "group_add" not in SERVICES["console"]
    assert "--node-token-group-readable" in SERVICES["console"]["command"]
    # The console's own data stays closed to its group.
    assert re.search(r'^install -d -m 700 -o "\$3" -g "\$3" "/image/var/lib/\$2"$', DOCKERFILE, re.MULTILINE)
    assert f"install -d -m 750 -o {user_of('console')} -g {user_of('console')} /image/var/lib/wallarm-token" in DOCKERFILE


def docker(*arguments: str) -> str:
    done = run("docker", *arguments, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def missing_docker(*command: str) -> str:
    """Why a command of Docker does not work; empty if it does."""
    if not shutil.which("docker"):
        return "docker is not installed"
    done = run("docker", *command)
    return done.stderr.strip().splitlines()[0] if done.returncode else ""


def test_docker_compose_accepts_compose_yaml():
    if reason := missing_docker("compose", "version"):
        pytest.skip(f"docker compose: {reason}")
    docker("compose", "--file", str(FOLDER / "compose.yaml"), "config", "--quiet")


@pytest.mark.parametrize(("target", "program"), [("node", "wallarm-node"), ("console", "wallarm-console")])
def test_the_image_builds_and_its_program_runs_on_a_read_only_root(target, program):
    if reason := missing_docker("info"):
        pytest.skip(f"the image is not built: {reason}")
    docker("build", "--file", str(FOLDER / "Dockerfile"), "--target", target, "--tag", program, ".")
    assert program in docker("run", "--rm", "--read-only", "--network=none", "--cap-drop=ALL", program, "--version")
    assert docker("image", "inspect", "--format", "{{.Config.User}}", program).strip() == f"{user_of(target)}:{user_of(target)}"
