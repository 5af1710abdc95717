"""A cluster of the test's own, somewhere that the server's account can reach."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from portal.launch.embedded.account import server_account
from portal.launch.embedded.binaries import find_binaries
from portal.launch.embedded.cluster import Cluster


@contextmanager
def open_folder() -> Iterator[Path]:
    """Unlike `tmp_path`, open to the account that root lends to Postgres."""
    made = Path(tempfile.mkdtemp(prefix="portal-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as made:
        yield made


@pytest.fixture(scope="module")
def cluster_folder() -> Iterator[Path]:
    with open_folder() as made:
        yield made


@pytest.fixture
def cluster(cluster_folder: Path) -> Iterator[Cluster]:
    """A cluster that is not running. Its data is made once: that is what takes long."""
    made = make_cluster(cluster_folder)
    yield made
    made.stop_unused()


def make_cluster(folder: Path) -> Cluster:
    account = server_account(folder)
    binaries = find_binaries().within_reach_of(account, folder)
    return Cluster(folder / "cluster", binaries=binaries, account=account, log=folder / "log", durable=False)
