"""The files of docs/deploy: right by their own validators, and in agreement with one another."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from azure_responses.gateway.app import HEALTH_PATHS
from azure_responses.gateway.config_file import read_config
from azure_responses.version import __version__

_DOCS = Path(__file__).parents[2] / "docs"
_FILES = _DOCS / "deploy"
_VARIABLE = re.compile(r"os\.environ/(\w+)")
_SHOWN = ["config.yaml", "nginx.conf", "Containerfile", "compose.yaml", "kubernetes.yaml"]
_LIFE = {
    "GATEWAY_DATABASE_URL": "postgresql://gateway@localhost/gateway",
    "GATEWAY_REDIS_URL": "redis://localhost:6379/0",
    "GATEWAY_SPEND_LOG": "spend.jsonl",
    "AZURE_EAST_ENDPOINT": "https://east.openai.azure.com",
    "AZURE_WEST_ENDPOINT": "https://west.openai.azure.com",
}


def _read(name: str) -> str:
    return (_FILES / name).read_text(encoding="utf-8")


def _program(name: str) -> str:
    """A program of this environment or of the machine."""
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    found = found or shutil.which(name, path="/usr/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def _check(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=_FILES)
    assert done.returncode == 0, done.stdout + done.stderr


def _variables() -> set[str]:
    return set(_VARIABLE.findall(_read("config.yaml")))


def _settings() -> Any:
    environ = {name: _LIFE.get(name, "a-secret-of-some-length-7310") for name in _variables()}
    loaded = read_config(_read("config.yaml"), environ)
    assert loaded.problems == ()
    return loaded.settings


def _manifests() -> dict[str, dict[str, Any]]:
    return {one["kind"]: one for one in yaml.safe_load_all(_read("kubernetes.yaml"))}


def _pod() -> dict[str, Any]:
    pod: dict[str, Any] = _manifests()["Deployment"]["spec"]["template"]["spec"]
    return pod


def _services() -> dict[str, dict[str, Any]]:
    services: dict[str, dict[str, Any]] = yaml.safe_load(_read("compose.yaml"))["services"]
    return services


def test_the_compose_file_fits_its_schema() -> None:
    checker = _program("check-jsonschema")
    _check(checker, "--builtin-schema", "vendor.compose-spec", "compose.yaml")


def test_the_compose_command_takes_the_compose_file() -> None:
    docker = _program("docker")
    if subprocess.run([docker, "compose", "version"], capture_output=True).returncode:
        pytest.skip("docker has no compose command")
    names = re.findall(r"\$\{(\w+):\?\}", _read("compose.yaml"))
    given = [f"{name}=x" for name in sorted(set(names))]
    _check("env", *given, docker, "compose", "-f", "compose.yaml", "config", "--quiet")


def test_the_manifest_fits_the_schemas_of_kubernetes() -> None:
    validate = pytest.importorskip("kubernetes_validate").validate
    for manifest in yaml.safe_load_all(_read("kubernetes.yaml")):
        validate(manifest, "1.34", strict=True)


def test_the_container_file_pleases_its_linter() -> None:
    _check(_program("hadolint"), "Containerfile")


def test_the_proxy_takes_its_configuration(tmp_path: Path) -> None:
    text = _read("nginx.conf").replace("gateway-1", "127.0.0.1").replace("gateway-2", "127.0.0.2")
    (tmp_path / "nginx.conf").write_text(text.replace("/tmp/", f"{tmp_path}/"))
    _check(_program("nginx"), "-t", "-e", "stderr", "-c", str(tmp_path / "nginx.conf"))


@pytest.mark.parametrize("name", _SHOWN)
def test_the_page_shows_each_file_as_it_is(name: str) -> None:
    page = (_DOCS / "deploy.md").read_text(encoding="utf-8")
    assert f"\n{_read(name)}```\n" in page


def test_the_configuration_has_nothing_to_warn_of() -> None:
    settings = _settings()
    assert settings.weakest_key is None
    assert settings.affinity_secrets
    assert settings.state
    assert settings.database_url


def test_every_variable_of_the_configuration_is_given() -> None:
    env_file = {line.partition("=")[0] for line in _read("gateway.env").splitlines()}
    assert _variables() <= env_file
    assert _variables() == set(_manifests()["Secret"]["stringData"])
    for name in ("gateway-1", "gateway-2"):
        assert _variables() == set(_services()[name]["environment"])


def test_the_manifest_carries_the_same_configuration() -> None:
    assert _manifests()["ConfigMap"]["data"]["config.yaml"] == _read("config.yaml")


def test_whoever_stops_a_gateway_waits_until_it_has_drained() -> None:
    drain = _settings().drain_timeout
    pod = _pod()
    pause = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod["terminationGracePeriodSeconds"] >= pause + drain + 10
    for name in ("gateway-1", "gateway-2"):
        assert int(_services()[name]["stop_grace_period"].removesuffix("s")) >= drain + 10


def test_probes_ask_for_paths_the_gateway_has() -> None:
    container = _pod()["containers"][0]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"]["path"] in HEALTH_PATHS
    # A draining gateway is not ready, and must not be killed for it.
    assert container["readinessProbe"]["httpGet"]["path"] == "/health/readiness"
    assert container["livenessProbe"]["httpGet"]["path"] == "/health/liveness"
    assert "127.0.0.1:4000/health/readiness" in _read("Containerfile")


def test_no_container_runs_as_root_or_writes_to_its_image() -> None:
    pod, container = _pod(), _pod()["containers"][0]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    user = pod["securityContext"]["runAsUser"]
    assert re.search(rf"^USER {user}:{user}$", _read("Containerfile"), re.MULTILINE)
    assert all(_services()[name]["read_only"] for name in ("gateway-1", "gateway-2"))


def test_the_image_is_of_this_version() -> None:
    assert f"ARG VERSION={__version__}\n" in _read("Containerfile")
    assert _pod()["containers"][0]["image"].endswith(f":{__version__}")
    assert _services()["gateway-1"]["image"].endswith(f":{__version__}")


def test_the_proxy_waits_longer_than_a_call_may_take() -> None:
    found = re.search(r"proxy_read_timeout (\d+)s;", _read("nginx.conf"))
    assert found is not None
    assert int(found[1]) > _settings().router.get("timeout", 600)
    assert "proxy_buffering off;" in _read("nginx.conf")
