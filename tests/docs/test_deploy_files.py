"""The files of deploy/, the image and compose.yaml: what they name is there, and what they must set they set."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[2]
OURS = {"migrate", "web", "workers", "model"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((PROJECT / "compose.yaml").read_text()))


def read(path: str) -> str:
    return (PROJECT / path).read_text()


def test_only_the_proxy_of_compose_is_reached_from_outside(compose: dict[str, Any]) -> None:
    published = {name: service.get("ports", []) for name, service in compose["services"].items()}
    assert [name for name, ports in published.items() if any(not port.startswith("127.") for port in ports)] == [
        "proxy"
    ]


def test_every_container_of_ours_gets_every_setting(compose: dict[str, Any]) -> None:
    ours = {name: service for name, service in compose["services"].items() if service.get("image") == "portal"}
    assert set(ours) == OURS
    for service in ours.values():
        assert service["env_file"] == ".env"
        # What only compose knows. All else must come from the file: an empty line here would go before it.
        assert set(service["environment"]) - {"PORTAL_PROCESS"} == {
            "DATABASE_URL",
            "SECRET_KEY",
            "ALLOWED_HOSTS",
            "CSRF_TRUSTED_ORIGINS",
            "MEDIA_ROOT",
            "TRUSTED_PROXIES",
            "WEB_ADDRESSES",
            "METRICS_ALLOW",
        }


def test_what_env_says_goes_before_what_compose_thinks(compose: dict[str, Any]) -> None:
    given = compose["x-portal"]["environment"]
    constant = {name for name, value in given.items() if f"${{{name}:" not in value}
    # Where the parts of compose are, only compose knows; the page says so.
    assert constant == {"DATABASE_URL", "MEDIA_ROOT"}
    assert "`DATABASE_URL` and `MEDIA_ROOT` are compose's own" in read("docs/docker.md")
    replaced = set(given) - constant - {"SECRET_KEY"}
    assert {name for name in replaced if f"`{name}`" not in read("docs/docker.md")} == set()


def test_names_that_only_compose_reads_are_documented(compose: dict[str, Any]) -> None:
    named = set(re.findall(r"\$\{(\w+)", read("compose.yaml")))
    page = read("docs/docker.md") + read("docs/settings.md")
    assert {name for name in named if f"`{name}`" not in page} == set()


def test_volumes_and_files_of_compose_are_there(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert source in compose["volumes"] or (PROJECT / source).is_file()


def test_stop_of_the_workers_outlasts_their_grace(compose: dict[str, Any]) -> None:
    assert compose["services"]["workers"]["stop_grace_period"] == "40s"
    assert compose["services"]["workers"]["init"] is True


@pytest.mark.parametrize(
    "path", ["Dockerfile", "compose.yaml", "deploy/portal-web.service", "docs/operating.md", "docs/docker.md"]
)
def test_modules_that_are_started_are_there(path: str) -> None:
    started = re.findall(r"python[\"', ]+-m[\"', ]+(portal[\w.]+)", read(path))
    assert all(find_spec(name) for name in started)
    assert started or path == "docs/docker.md"


@pytest.mark.parametrize("path", ["Dockerfile", "docs/operating.md"])
def test_requirements_that_are_installed_are_there(path: str) -> None:
    named = re.findall(r"requirements/(\w+)\.txt", read(path))
    assert {"base", "models"} <= set(named)
    assert all((PROJECT / "requirements" / f"{name}.txt").is_file() for name in named)


@pytest.mark.parametrize("path", ["deploy/nginx.conf", "docs/operating.md"])
def test_nginx_says_who_the_client_is_and_by_which_name_it_came(path: str) -> None:
    text = read(path)
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in text
    assert "proxy_set_header X-Forwarded-Proto $scheme;" in text
    assert "proxy_set_header Host $http_host;" in text
    # Would let through what the client says of itself.
    assert "$proxy_add_x_forwarded_for" not in text


@pytest.mark.parametrize("unit", ["portal-web", "portal-api"])
def test_units_trust_the_proxy_of_their_host_alone(unit: str) -> None:
    text = read(f"deploy/{unit}.service")
    assert "--host 127.0.0.1" in text
    # Before the file of settings, which may say something else.
    assert text.index("Environment=TRUSTED_PROXIES=127.0.0.1\n") < text.index("EnvironmentFile=")


def test_upgrade_renews_all_that_belongs_together() -> None:
    upgrading = read("docs/operating.md").partition("\n## Upgrading\n")[2].partition("\n## ")[0]
    for named in (
        "portal-web",
        "portal-workers@*",
        "portal-api",
        "daemon-reload",
        "portal.web_server",
        "--no-proxy-headers",
    ):
        assert named in upgrading


@pytest.mark.parametrize("path", ["deploy/Caddyfile", "deploy/Caddyfile.compose"])
def test_caddy_bounds_headers_and_drops_look_alikes(path: str) -> None:
    text = read(path)
    assert "max_header_size 32KB" in text
    assert "read_header 20s" in text
    assert "request_header -X_*" in text


def test_prometheus_of_compose_asks_for_a_name_that_is_allowed(compose: dict[str, Any]) -> None:
    [job] = yaml.safe_load(read("deploy/prometheus.yml"))["scrape_configs"]
    [target] = [target for config in job["static_configs"] for target in config["targets"]]
    name, _, port = target.partition(":")
    assert compose["services"][name]["expose"] == [port]
    assert f",{name}" in compose["x-portal"]["environment"]["ALLOWED_HOSTS"]
    # As the rules call it.
    assert f'job="{job["job_name"]}"' in read("deploy/prometheus-alerts.yml")
    [source] = yaml.safe_load(read("deploy/grafana-datasource.yml"))["datasources"]
    assert source["url"].removeprefix("http://").partition(":")[0] in compose["services"]
