"""deploy/kubernetes: what its parts name is there, and they agree with each other, with the image and with the portal.

The schemas of Kubernetes have 72 MB as a package: decision 0085 says why they are not installed for this.
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml
from django.db import connection, transaction
from django.urls import resolve

from accounts.models import User
from tasks.lifecycle.submit import Submission, submit_task
from tasks.models import Node, Task
from tasks.models.ids import new_id
from tests.claims import claim_task

PROJECT = Path(__file__).resolve().parents[2]
BASE = PROJECT / "deploy" / "kubernetes"
KUSTOMIZATION = yaml.safe_load((BASE / "kustomization.yaml").read_text())
PARTS = [part for path in sorted(BASE.glob("*.yaml")) for part in yaml.safe_load_all(path.read_text())]
RUNNING = [part for part in PARTS if part["kind"] in {"Deployment", "Job"}]
SETTINGS = dict(re.findall(r"^([A-Z_]+)=(.*)$", (BASE / "settings.env").read_text(), flags=re.MULTILINE))

each_running = pytest.mark.parametrize("part", RUNNING, ids=lambda part: part["metadata"]["name"])


def of_kind(kind: str) -> dict[str, Any]:
    return {part["metadata"]["name"]: part for part in PARTS if part["kind"] == kind}


def containers(part: dict[str, Any]) -> list[dict[str, Any]]:
    pod = part["spec"]["template"]["spec"]
    return [*pod.get("initContainers", []), *pod["containers"]]


def test_kustomization_names_every_file() -> None:
    assert {f"{path.name}" for path in BASE.glob("*.yaml")} == {"kustomization.yaml", *KUSTOMIZATION["resources"]}
    [generated] = KUSTOMIZATION["configMapGenerator"]
    assert (generated["name"], generated["envs"]) == ("settings", ["settings.env"])


def test_settings_are_documented() -> None:
    page = (PROJECT / "docs" / "settings.md").read_text()
    assert {name for name in SETTINGS if f"| `{name}` |" not in page} == set()


@each_running
def test_containers_run_our_image_as_its_user_with_all_settings(part: dict[str, Any]) -> None:
    pod = part["spec"]["template"]["spec"]
    uid = re.search(r"useradd .*--uid (\d+)", (PROJECT / "Dockerfile").read_text())
    assert uid
    assert pod["securityContext"]["runAsUser"] == pod["securityContext"]["fsGroup"] == int(uid[1])
    assert pod["securityContext"]["runAsNonRoot"] is True
    for container in containers(part):
        assert container["image"] == KUSTOMIZATION["images"][0]["name"]
        assert container["envFrom"] == [{"configMapRef": {"name": "settings"}}, {"secretRef": {"name": "portal"}}]
        words = " ".join(container["command"])
        assert "manage.py" in words or find_spec(words.split(" -m ")[1].split()[0])
        assert container["securityContext"] == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    for volume in pod.get("volumes", []):
        assert volume["persistentVolumeClaim"]["claimName"] in of_kind("PersistentVolumeClaim")


@each_running
def test_files_are_where_the_settings_say(part: dict[str, Any]) -> None:
    mounts = [mount for container in containers(part) for mount in container.get("volumeMounts", [])]
    assert {mount["mountPath"] for mount in mounts} <= {SETTINGS["MEDIA_ROOT"]}


def test_selectors_choose_the_pods_that_they_mean() -> None:
    labels = {name: part["spec"]["template"]["metadata"]["labels"] for name, part in of_kind("Deployment").items()}
    for name, part in of_kind("Deployment").items():
        assert part["spec"]["selector"]["matchLabels"] == labels[name]
    for name, budget in of_kind("PodDisruptionBudget").items():
        assert budget["spec"]["selector"]["matchLabels"] == labels[name]
    assert set(of_kind("PodDisruptionBudget")) == set(labels)
    for name, service in of_kind("Service").items():
        assert service["spec"]["selector"] == labels[name]


def test_service_and_probes_find_their_port_and_their_page() -> None:
    [web] = of_kind("Deployment")["web"]["spec"]["template"]["spec"]["containers"]
    [port] = web["ports"]
    assert str(port["containerPort"]) == web["command"][-1]
    assert [entry["targetPort"] for entry in of_kind("Service")["web"]["spec"]["ports"]] == [port["name"]]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert web[probe]["httpGet"]["port"] == port["name"]
        assert resolve(web[probe]["httpGet"]["path"])
        # It is always allowed, whatever ALLOWED_HOSTS says.
        assert web[probe]["httpGet"]["httpHeaders"] == [{"name": "Host", "value": "127.0.0.1"}]


def test_pods_of_workers_outlast_the_grace_of_their_tasks() -> None:
    pod = of_kind("Deployment")["workers-default"]["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] >= int(SETTINGS["STOP_GRACE_SECONDS"]) + 20


@pytest.mark.usefixtures("new_tables")
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_nodes_are_as_many_as_ready_and_running_tasks_take(alice: User) -> None:
    scaled = of_kind("ScaledObject")["workers-default"]["spec"]
    assert scaled["scaleTargetRef"]["name"] in of_kind("Deployment")
    assert scaled["minReplicaCount"] >= 1
    [trigger] = scaled["triggers"]
    assert trigger["authenticationRef"]["name"] in of_kind("TriggerAuthentication")
    assert trigger["metadata"]["targetQueryValue"] == SETTINGS["WORKERS"]
    for _ in range(7):
        submit_task(alice, Submission("diagnostic.echo", {"message": "a"}))
    node = Node.objects.create(id=new_id(), name="n", cluster_id="default", host="h", pid=1, version="0", workers=2)
    assert claim_task(cluster="default", node=node.pk, pid=1, token=uuid4())
    # Four of them have a slot: the others no node could start sooner.
    assert sorted(Task.objects.values_list("status", flat=True)) == ["held"] * 3 + ["ready"] * 3 + ["running"]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(trigger["metadata"]["query"])
        assert cursor.fetchone() == (4,)
        # Asked every ten seconds: not all tasks that ever were may be read for it.
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {trigger['metadata']['query']}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "task_ready" in plan or "task_lane_ready" in plan, plan
    assert "task_running" in plan, plan
