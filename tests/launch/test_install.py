"""The environment: made once, gone on with, and one sentence for everything that can be missing."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import time
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest

from portal.launch import install
from portal.launch.install import InstallError

UNREACHABLE = "http://127.0.0.1:9/simple"


def make_wheel(folder: Path, name: str, tag: str = "py3-none-any") -> str:
    """Write a wheel of one empty module and return its line for a requirements file."""
    info = f"{name}-1.0.dist-info"
    wheel = folder / f"{name}-1.0-{tag}.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"{name}.py", "")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n")
        archive.writestr(f"{info}/RECORD", f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return f"{name}==1.0 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


class Checkout(NamedTuple):
    folder: Path
    wheels: Path

    def require(self, text: str) -> None:
        (self.folder / "requirements" / "base.txt").write_text(text)

    def has(self, module: str) -> bool:
        python = str(self.folder / ".venv" / "bin" / "python")
        return subprocess.run([python, "-c", f"import {module}"], capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with nothing in it: making one takes seconds."""
    folder = tmp_path_factory.mktemp("made")
    install._make_environment(folder)
    return folder / ".venv"


@pytest.fixture
def checkout(tmp_path: Path, made_once: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    """A checkout whose only package index is a folder of wheels."""
    (tmp_path / "requirements").mkdir()
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    # Nothing writes into a file that is there: installers put new ones in their place.
    shutil.copytree(made_once, tmp_path / ".venv", symlinks=True, copy_function=os.link)
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    # Neither the machine's own settings nor its caches take part.
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("UV_NO_CONFIG", "1")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("UV_NO_CACHE", "1")
    for tool in ("PIP", "UV"):
        monkeypatch.setenv(f"{tool}_FIND_LINKS", str(wheels))
        monkeypatch.setenv(f"{tool}_NO_INDEX", "1")
    return Checkout(tmp_path, wheels)


@pytest.fixture
def unreachable_index(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    for tool in ("PIP", "UV"):
        monkeypatch.delenv(f"{tool}_NO_INDEX")
        monkeypatch.delenv(f"{tool}_FIND_LINKS")
        monkeypatch.setenv(f"{tool}_INDEX_URL", UNREACHABLE)


def test_second_start_needs_neither_network_nor_installer(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    checkout.require(make_wheel(checkout.wheels, "first"))
    python = install.ensure(["base"], checkout.folder)
    assert checkout.has("first")
    request.getfixturevalue("unreachable_index")
    monkeypatch.setattr(install, "_installers", lambda python: [["false"]])
    assert install.ensure(["base"], checkout.folder) == python


def test_changed_requirements_are_installed(checkout: Checkout) -> None:
    checkout.require(make_wheel(checkout.wheels, "first"))
    install.ensure(["base"], checkout.folder)
    checkout.require(make_wheel(checkout.wheels, "second"))
    install.ensure(["base"], checkout.folder)
    assert checkout.has("second")


def test_failed_installation_leaves_no_stamp(checkout: Checkout) -> None:
    line = make_wheel(checkout.wheels, "first")
    checkout.require(make_wheel(checkout.wheels, "second"))
    install.ensure(["base"], checkout.folder)
    checkout.require(line + "absent==1.0 --hash=sha256:" + "0" * 64)
    with pytest.raises(InstallError):
        install.ensure(["base"], checkout.folder)
    assert not (checkout.folder / ".venv" / ".portal-stamp-base").exists()


def test_environment_interrupted_while_unpacking_is_made_anew(checkout: Checkout) -> None:
    checkout.require(make_wheel(checkout.wheels, "first"))
    (checkout.folder / ".venv" / "half").touch()
    (checkout.folder / ".venv" / ".portal-installing").touch()
    install.ensure(["base"], checkout.folder)
    assert checkout.has("first")
    assert not (checkout.folder / ".venv" / "half").exists()
    assert not (checkout.folder / ".venv" / ".portal-installing").exists()


def test_environment_whose_python_is_gone_is_not_used(checkout: Checkout) -> None:
    assert install.environment_python(checkout.folder)
    for python in (checkout.folder / ".venv" / "bin").glob("python*"):
        python.unlink()
    assert install.environment_python(checkout.folder) is None


def test_second_installation_waits_for_the_first(checkout: Checkout, capfd: pytest.CaptureFixture[str]) -> None:
    checkout.require(make_wheel(checkout.wheels, "first"))
    hold = "import fcntl, sys, time; f = open(sys.argv[1], 'w'); fcntl.flock(f, 2); print(flush=True); time.sleep(0.5)"
    (checkout.folder / ".portal").mkdir()
    lock = str(checkout.folder / ".portal" / "install.lock")
    with subprocess.Popen(["python3", "-c", hold, lock], stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        first.stdout.readline()
        install.ensure(["base"], checkout.folder)
    assert "waiting for it" in capfd.readouterr().out
    assert checkout.has("first")


def own_uv(checkout: Checkout, script: str) -> None:
    program = checkout.folder / ".venv" / "bin" / "uv"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def test_what_uv_cannot_install_is_installed_by_pip(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    own_uv(checkout, 'touch "$0.was-asked"; echo "error: Failed to fetch"; exit 1')
    monkeypatch.setattr(shutil, "which", lambda name: None)
    checkout.require(make_wheel(checkout.wheels, "first"))
    monkeypatch.setattr(install, "_is_told_an_index", lambda python: False)
    install.ensure(["base"], checkout.folder)
    assert (checkout.folder / ".venv" / "bin" / "uv.was-asked").exists()
    assert checkout.has("first")
    assert "once more in another way" in capfd.readouterr().out


@pytest.mark.parametrize("name", ["INDEX_URL", "NO_INDEX", "PROXY"])
def test_packages_come_from_where_pip_was_told(checkout: Checkout, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    own_uv(checkout, "exit 1")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    python = str(checkout.folder / ".venv" / "bin" / "python")
    monkeypatch.delenv("PIP_NO_INDEX")
    assert [Path(words[0]).name for words in install._installers(python)] == ["uv", "python"]
    monkeypatch.setenv(f"PIP_{name}", "http://127.0.0.1:9" if name != "NO_INDEX" else "1")
    assert [Path(words[0]).name for words in install._installers(python)] == ["python"]


@pytest.mark.usefixtures("unreachable_index")
def test_unreachable_index_is_named(checkout: Checkout) -> None:
    checkout.require("absent==1.0 --hash=sha256:" + "0" * 64)
    began = time.monotonic()
    with pytest.raises(InstallError, match=r"package index cannot be reached: check the network"):
        install.ensure(["base"], checkout.folder)
    assert time.monotonic() - began < 150, "nobody waits for minutes to hear it"


def test_missing_wheel_is_named(checkout: Checkout) -> None:
    checkout.require(make_wheel(checkout.wheels, "elsewhere", "cp311-cp311-win_arm64"))
    with pytest.raises(InstallError, match="no ready-made package of elsewhere for this machine"):
        install.ensure(["base"], checkout.folder)


def test_other_file_than_pinned_is_refused(checkout: Checkout) -> None:
    make_wheel(checkout.wheels, "first")
    checkout.require("first==1.0 --hash=sha256:" + "0" * 64)
    with pytest.raises(InstallError, match="gave other files than requirements"):
        install.ensure(["base"], checkout.folder)
    assert not checkout.has("first")


def test_small_disk_is_named_before_anything_is_loaded(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout.require(make_wheel(checkout.wheels, "first"))
    usage = shutil.disk_usage(checkout.folder)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1_500_000_000))
    with pytest.raises(InstallError, match=r"Only 1\.5 GB are free in .* needs 4: make room"):
        install.ensure(["base"], checkout.folder)


def test_python_without_venv_is_told_the_package(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(checkout.folder / ".venv")
    monkeypatch.setenv("PATH", str(checkout.folder))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InstallError, match="apt install python3-venv"):
        install.ensure(["base"], checkout.folder)
