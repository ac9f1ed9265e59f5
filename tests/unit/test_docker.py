"""Whether the image and the compose files are sound, as far as that can be told without an engine."""

import json
import re
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

ROOT = Path(__file__).resolve().parents[2]
DOCKER = ROOT / "docker"
SCHEMA = ROOT / "tests" / "schemas" / "compose-spec.json"
SECRETS = ("POSTGRES_PASSWORD", "PALIMPSEST_BEARER_TOKEN")
COMPOSE_FILES = sorted(DOCKER.glob("compose*.yaml"))
DOCKERFILES = sorted(DOCKER.glob("*Dockerfile"))


def compose() -> dict[str, Any]:
    """The compose file of server and database."""
    loaded: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text())
    return loaded


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions with their arguments, continued lines joined."""
    text = re.sub(r"^#.*\n", "", (DOCKER / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return [(line.split()[0].upper(), line.partition(" ")[2]) for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize("path", COMPOSE_FILES, ids=lambda path: path.name)
def test_compose_files_follow_the_published_schema(path: Path) -> None:
    schema = json.loads(SCHEMA.read_text())
    problems = list(Draft202012Validator(schema).iter_errors(yaml.safe_load(path.read_text())))  # pyright: ignore[reportUnknownMemberType]
    assert not problems, problems[0].message


def test_the_schema_notices_a_mistake() -> None:
    broken = compose()
    broken["services"]["server"]["restrat"] = "always"
    assert list(Draft202012Validator(json.loads(SCHEMA.read_text())).iter_errors(broken))  # pyright: ignore[reportUnknownMemberType]


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_the_linter_finds_nothing_in_the_dockerfile(path: Path) -> None:
    linter = Path(sysconfig.get_path("scripts")) / "hadolint"
    done = subprocess.run(
        [str(linter), "--no-color", str(path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_image_is_built_in_stages_and_runs_without_privileges() -> None:
    steps = instructions()
    assert [name for name, _ in steps].count("FROM") >= 2
    last_stage = steps[max(index for index, (name, _) in enumerate(steps) if name == "FROM") :]
    (user,) = [argument for name, argument in last_stage if name == "USER"]
    assert user.isdecimal(), "a number, so that an orchestrator can tell that it is not root"
    assert int(user) > 0
    assert ("EXPOSE", "8000") in last_stage


def test_the_image_checks_its_health_with_what_it_has() -> None:
    (check,) = [argument for name, argument in instructions() if name == "HEALTHCHECK"]
    assert "/health" in check
    assert "curl" not in check
    assert "wget" not in check


def test_every_base_image_names_its_version() -> None:
    images = [argument.split()[0] for name, argument in instructions() if name == "FROM"]
    images += [service["image"] for service in compose()["services"].values()]
    for image in images:
        _, _, tag = image.partition(":")
        assert tag, image
        assert "latest" not in tag


def test_the_database_is_the_major_that_the_bundled_one_is() -> None:
    database = compose()["services"]["database"]
    assert re.fullmatch(r"pgvector/pgvector:0\.8\.\d+-pg18", database["image"])
    assert database["volumes"] == ["database:/var/lib/postgresql"]


def test_secrets_come_from_the_environment_and_are_demanded() -> None:
    text = (DOCKER / "compose.yaml").read_text()
    for name in (*SECRETS, "PALIMPSEST_ALLOWED_HOSTS"):
        uses = re.findall(rf"\$\{{{name}([^}}]*)\}}", text)
        assert uses, name
        assert all(use.startswith(":?") for use in uses), name
    example = (DOCKER / ".env.example").read_text()
    for name in SECRETS:
        assert re.search(rf"^{name}=$", example, flags=re.MULTILINE), f"{name} must be empty in the example"
    assert "docker/.env" in (ROOT / ".gitignore").read_text().splitlines()
    for name, argument in instructions():
        assert name not in ("ENV", "ARG") or not re.search("PASSWORD|TOKEN|KEY", argument)


def test_every_variable_of_the_compose_file_is_in_the_example() -> None:
    names = set(re.findall(r"\$\{(\w+)", (DOCKER / "compose.yaml").read_text()))
    example = (DOCKER / ".env.example").read_text()
    assert {name for name in names if not re.search(rf"^#?{name}=", example, flags=re.MULTILINE)} == set()


def test_only_loopback_is_published_and_the_database_not_at_all() -> None:
    services = compose()["services"]
    assert all(port.startswith("127.0.0.1:") for port in services["server"]["ports"])
    assert "ports" not in services["database"]
    networks = compose()["networks"]
    assert [networks[name].get("internal", False) for name in services["database"]["networks"]] == [True]


def test_services_restart_and_wait_for_a_healthy_database() -> None:
    services = compose()["services"]
    assert {name for name, one in services.items() if one["restart"] != "unless-stopped"} == {"trainer"}
    assert services["server"]["depends_on"]["database"]["condition"] == "service_healthy"
    assert "pg_isready" in " ".join(services["database"]["healthcheck"]["test"])


def test_the_server_can_write_nowhere_but_into_the_database() -> None:
    server = compose()["services"]["server"]
    assert server["read_only"] is True
    assert server["cap_drop"] == ["ALL"]
    assert "volumes" not in server


def test_the_build_context_leaves_out_what_the_wheel_is_not_built_from() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in lines
    kept = {line[1:] for line in lines if line.startswith("!")}
    assert {"core", "server", "slm", "storage", "tools", "pyproject.toml", "constraints.txt"} <= kept
    assert all((ROOT / name).exists() for name in kept)
    assert kept.isdisjoint({".git", ".venv", "tests", "docker"})


def small_models() -> dict[str, dict[str, Any]]:
    """The services that serve a small language model, by profile."""
    return {name: one for name, one in compose()["services"].items() if "slm" in name}


def test_only_server_and_database_start_unless_a_profile_is_asked_for() -> None:
    services = compose()["services"]
    assert {name: one.get("profiles") for name, one in services.items()} == {
        "server": None,
        "database": None,
        "slm": ["slm"],
        "slm-cpu": ["slm-cpu"],
        "trainer": ["trainer"],
    }
    server = services["server"]["environment"]
    assert server["PALIMPSEST_SLM_BASE_URL"] == "${PALIMPSEST_SLM_BASE_URL:-}", "empty: nothing is asked"


def test_a_small_model_is_reached_from_inside_only_and_never_without_a_key(tmp_path: Path) -> None:
    networks = compose()["networks"]
    for one in small_models().values():
        assert "ports" not in one
        assert set(one["networks"]) == {"inside", "models"}
        assert "models" not in compose()["services"]["server"]["networks"]
        assert one["environment"]["VLLM_API_KEY"] == "${SLM_API_KEY:-}"
        assert not any("api-key" in argument for argument in one["command"]), "everybody sees arguments"
        shell = [part.replace("$$", "$") for part in one["entrypoint"]]
        (tmp_path / "vllm").write_text('#!/bin/sh\necho "$VLLM_API_KEY" "$@"\n')
        (tmp_path / "vllm").chmod(0o755)
        told: dict[str, subprocess.CompletedProcess[str]] = {}
        for key in ("", "secret"):
            told[key] = subprocess.run(
                [*shell, "microsoft/phi-2", "--dtype"],
                env={"PATH": f"{tmp_path}:/usr/bin:/bin", "VLLM_API_KEY": key},
                capture_output=True,
                text=True,
                timeout=20,
                check=False,
            )
        assert told[""].returncode == 1
        assert "SLM_API_KEY" in told[""].stderr
        assert told["secret"].stdout.split() == ["secret", "serve", "microsoft/phi-2", "--dtype"]
    assert networks["inside"]["internal"] is True


def test_a_small_model_takes_adapters_but_cannot_write_them() -> None:
    for one in small_models().values():
        assert "adapters:/adapters:ro" in one["volumes"]
        assert "--enable-lora" in one["command"]
        assert one["environment"]["VLLM_ALLOW_RUNTIME_LORA_UPDATING"] == "true"
        at = one["command"].index("--structured-outputs-config")
        assert json.loads(one["command"][at + 1]) == {"disable_any_whitespace": True, "backend": "xgrammar"}
    assert "adapters:/adapters" in compose()["services"]["trainer"]["volumes"]


def test_a_gpu_is_reserved_where_one_is_needed() -> None:
    services = compose()["services"]
    for name in ("slm", "trainer"):
        (device,) = services[name]["deploy"]["resources"]["reservations"]["devices"]
        assert (device["driver"], device["capabilities"]) == ("nvidia", ["gpu"])
    assert "deploy" not in services["slm-cpu"]
