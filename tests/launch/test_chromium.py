"""Where the browser of the browser tests comes from: the real Playwright, downloading from a server of the test's."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from portal.launch import chromium
from portal.launch.run.ports import free_port
from tests.serving import serving

WORKS, BROKEN = "#!/bin/sh\necho Chromium 1\n", "#!/bin/sh\nexit 127\n"


@pytest.fixture(autouse=True)
def builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of an ordinary user without Chromium; returns where Playwright would keep its builds."""
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr(chromium, "NAMES", ("no-such-browser",))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "builds"))
    monkeypatch.setenv("PLAYWRIGHT_DOWNLOAD_HOST", f"http://127.0.0.1:{free_port()}")
    return tmp_path / "builds"


def expected_path() -> Path:
    return Path(subprocess.check_output([sys.executable, "-c", chromium.OWN_BUILD], text=True).strip())


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def downloads(builds: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server with an archive for whatever is asked for, in which a Chromium is, and the ffmpeg that comes with it."""
    browser = Path(*expected_path().relative_to(builds).parts[1:])
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for name in (str(browser), "ffmpeg-linux", "ffmpeg-mac"):
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o755 << 16
            file.writestr(entry, WORKS)

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(archive.getvalue())))
            self.end_headers()
            self.wfile.write(archive.getvalue())

        def log_message(self, format: str, *args: object) -> None:
            pass

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Answer)) as server:
        monkeypatch.setenv("PLAYWRIGHT_DOWNLOAD_HOST", f"http://127.0.0.1:{server.server_port}")
        yield


@pytest.mark.usefixtures("downloads")
def test_ordinary_user_without_chromium_gets_playwrights() -> None:
    assert chromium.ensure(sys.executable) == str(expected_path())


def test_playwrights_build_that_is_there_is_not_downloaded_again() -> None:
    put(expected_path(), WORKS)
    assert chromium.ensure(sys.executable) == str(expected_path())


def test_download_that_fails_is_one_sentence() -> None:
    with pytest.raises(chromium.ChromiumError, match=r"could not be downloaded .*ECONNREFUSED.*apt-get install"):
        chromium.ensure(sys.executable)


def test_build_that_lacks_libraries_is_one_sentence() -> None:
    put(expected_path(), BROKEN)
    with pytest.raises(chromium.ChromiumError, match=r"lacks libraries .*install-deps chromium"):
        chromium.ensure(sys.executable)


def test_named_browser_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHROMIUM", "/opt/browser")
    assert chromium.ensure("no-python") == "/opt/browser"
