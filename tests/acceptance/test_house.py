"""The files around the code: what an operator starts and what a newcomer runs."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  commands of this file
        command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, timeout=60, check=False
    )


def compose() -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())["services"]
    return services


def test_the_compose_file_follows_the_compose_specification() -> None:
    done = run(sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE))
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_role_has_a_service_and_every_service_a_word_on_health() -> None:
    services = compose()
    assert set(services) == {"migrate", "api", "collect", "retrain", "postgres", "kafka"}
    assert all("healthcheck" in service for service in services.values())


@pytest.mark.parametrize("role", ["api", "collect", "retrain"])
def test_no_role_starts_on_an_old_schema_or_without_what_it_needs(role: str) -> None:
    service = compose()[role]
    assert service["environment"]["CLICKLOOP_MIGRATE"] == "refuse"
    assert service["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    assert {"postgres", "kafka"} <= set(service["depends_on"])
    assert service["volumes"] == compose()["api"]["volumes"], "roles share one store of artifacts"


def test_the_image_publishes_nothing_without_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    from clickloop.server.exposure import prepare_to_listen  # noqa: PLC0415  only this test needs it
    from foundation.errors import Exposed  # noqa: PLC0415  as above
    from foundation.settings import Settings  # noqa: PLC0415  as above

    words = (ROOT / "Dockerfile").read_text().split()
    image = dict(word.split("=", 1) for word in words if word.startswith("CLICKLOOP_"))
    assert (image["CLICKLOOP_HOST"], image["CLICKLOOP_REQUIRE_KEYS"]) == ("0.0.0.0", "true")  # noqa: S104  with keys
    for service in ("api", "collect", "retrain"):
        assert compose()[service]["environment"]["CLICKLOOP_REQUIRE_KEYS"] == "true"
    assert {name for name, service in compose().items() if "ports" in service} == {"api"}
    monkeypatch.setenv("CLICKLOOP_HOST", image["CLICKLOOP_HOST"])
    with pytest.raises(Exposed):
        prepare_to_listen(Settings(_env_file=None), print)


def test_the_checks_bring_the_browser_that_tests_need(tmp_path: Path) -> None:
    (tmp_path / "make").symlink_to("/bin/true")
    for name, said in {"id": "0", "apt-get": '$(echo "$*" >> "$CALLS")'}.items():
        (tmp_path / name).write_text(f"#!/bin/bash\necho {said}\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "dirname").symlink_to("/usr/bin/dirname")
    calls = tmp_path / "calls"
    done = run("/bin/bash", ".ci/run", PATH=str(tmp_path), CALLS=str(calls))
    assert done.returncode == 0, done.stderr
    assert "chromium" in calls.read_text()


def test_environment_variables_of_the_deployment_are_settings() -> None:
    from foundation.settings import Settings  # noqa: PLC0415  only this test needs it

    known = {f"CLICKLOOP_{name.upper()}" for name in Settings.model_fields}
    assert set(compose()["api"]["environment"]) <= known
    named = {word.split("=")[0] for word in (ROOT / "Dockerfile").read_text().split() if word.startswith("CLICKLOOP_")}
    assert named
    assert named <= known


def test_the_image_holds_every_package_of_the_wheel() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    packages = set(PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
    assert packages | {"migrations", "requirements", "pyproject.toml", "README.md", "LICENSE"} == allowed


def test_every_package_is_checked_for_its_imports() -> None:
    packages = set(PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
    assert set(PROJECT["tool"]["importlinter"]["root_packages"]) == packages | {"benchmarks"}
    assert packages | {"benchmarks"} <= set(PROJECT["tool"]["mypy"]["files"])


def test_an_interpreter_that_is_too_old_or_missing_is_named(tmp_path: Path) -> None:
    done = run("bash", ".ci/install", str(tmp_path / "venv"), PYTHON="python-that-is-not-there")
    assert done.returncode != 0
    assert "3.11" in done.stderr
    assert "python-that-is-not-there" in done.stderr
    assert not (tmp_path / "venv").exists()


def test_make_explains_itself() -> None:
    done = run("make")
    assert done.returncode == 0, done.stderr
    for target in ("demo", "test", "lint", "types", "arrows", "check", "requirements", "clean"):
        assert f"make {target} " in done.stdout
