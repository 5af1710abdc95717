"""`manage.py qcluster` says what is wrong instead of starting a node that nobody serves."""

from __future__ import annotations

import subprocess
import sys

import pytest

from .conftest import PROJECT

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def run(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", "qcluster", *words]
    return subprocess.run(
        command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False, timeout=60
    )


def test_unknown_cluster_is_refused_with_the_known_ones(environment: dict[str, str]) -> None:
    answer = run(environment | {"Q_CLUSTER_NAME": "defualt"})
    assert answer.returncode == 1
    assert "There is no cluster 'defualt'; CLUSTERS names default." in answer.stderr


def test_option_that_comes_too_late_is_refused(environment: dict[str, str]) -> None:
    answer = run(environment, "-n", "gpu")
    assert answer.returncode == 1
    assert "Q_CLUSTER_NAME" in answer.stderr


def test_missing_setting_is_one_sentence(environment: dict[str, str]) -> None:
    answer = run(environment | {"SECRET_KEY": "short", "PORTAL_DEMO": "0"})
    assert answer.returncode == 1
    assert answer.stderr.startswith("SECRET_KEY is too short.")
    assert "Traceback" not in answer.stderr
