"""Fetching: sizes, times, redirects and errors, against real servers on the loopback interface."""

from __future__ import annotations

import datetime
import gzip
import ssl
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tasks.errors import FetchFailed, GiveUp, InputTooLarge, UrlRefused
from tasks.outbound import fetch
from tests.outbound.receiver import Handler, Receiver, answer_with, hang, running_receiver

MEGABYTE = 1_000_000


def get(url: str, *, max_bytes: int = MEGABYTE, seconds: float = 5.0, **options: Any) -> fetch.Fetched:
    return fetch.get(url, max_bytes=max_bytes, timeout_seconds=seconds, **options)


def test_answer_comes_whole_with_its_type_and_headers(receiver: Receiver) -> None:
    receiver.answer = answer_with(200, b"\x89PNG", Content_Type="image/PNG; x=1", X_Left="3")
    answer = get(receiver.url, accept="image/*")
    assert (answer.status, answer.body, answer.content_type) == (200, b"\x89PNG", "image/png")
    assert answer.headers["x-left"] == "3"
    sent = receiver.received[0]
    assert (sent.method, sent.path, sent.headers["accept"]) == ("GET", "/hook", "image/*")
    assert sent.headers["user-agent"].startswith("Portal/")


def test_request_carries_method_headers_and_body(receiver: Receiver) -> None:
    receiver.answer = answer_with(418, b"no")
    answer = fetch.request(
        "POST", receiver.url, headers={"X-Key": "k"}, body=b"hello", max_bytes=100, timeout_seconds=5
    )
    assert (answer.status, answer.body) == (418, b"no")
    sent = receiver.received[0]
    assert (sent.method, sent.body, sent.headers["x-key"], sent.headers["content-length"]) == (
        "POST",
        b"hello",
        "k",
        "5",
    )


def test_proxy_of_the_environment_is_not_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.9:9")
    assert get(receiver.url).status == 204


@pytest.mark.parametrize("name", ["Host", "content-length", "Transfer-Encoding", "Connection"])
def test_header_that_frames_the_request_cannot_be_set(receiver: Receiver, name: str) -> None:
    with pytest.raises(GiveUp, match="portal sets it itself"):
        fetch.request("GET", receiver.url, headers={name: "x"}, max_bytes=10, timeout_seconds=5)
    assert not receiver.received


@pytest.mark.parametrize("value", ["a\r\nX-Injected: 1", "a\nb", "a\0b", "snow \N{SNOWMAN}"])
def test_header_cannot_smuggle_another(receiver: Receiver, value: str) -> None:
    with pytest.raises(GiveUp):
        fetch.request("GET", receiver.url, headers={"X-Key": value}, max_bytes=10, timeout_seconds=5)
    assert not receiver.received


# --- Sizes ---------------------------------------------------------------------------------------


def test_body_that_is_too_large_is_given_up_while_it_comes(receiver: Receiver) -> None:
    def endless(handler: Handler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not handler.server.over.is_set():
            handler.wfile.write(b"x" * 65_536)

    receiver.answer = endless
    with pytest.raises(InputTooLarge, match=r"1\.0 MB"):
        get(receiver.url)


def test_compressed_answer_is_unpacked(receiver: Receiver) -> None:
    receiver.answer = answer_with(200, gzip.compress(b"hello"), Content_Encoding="gzip")
    assert get(receiver.url).body == b"hello"


def test_bomb_is_not_unpacked(receiver: Receiver) -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(10 * MEGABYTE)) for _ in range(30)) + packer.flush()
    assert len(bomb) < MEGABYTE
    receiver.answer = answer_with(200, bomb, Content_Encoding="gzip")
    with pytest.raises(InputTooLarge):
        get(receiver.url)


@pytest.mark.parametrize("encoding", ["br", "zstd", "deflate", "gzip, gzip"])
def test_compression_that_was_not_asked_for_is_refused(receiver: Receiver, encoding: str) -> None:
    receiver.answer = answer_with(200, b"whatever", Content_Encoding=encoding)
    with pytest.raises(FetchFailed, match="compression"):
        get(receiver.url)


@pytest.mark.parametrize("body", [gzip.compress(b"hello" * 99, mtime=0)[:-9], b"no gzip at all"])
def test_broken_compression_is_a_failure(receiver: Receiver, body: bytes) -> None:
    receiver.answer = answer_with(200, body, Content_Encoding="gzip")
    with pytest.raises(FetchFailed):
        get(receiver.url)


def test_answer_that_breaks_off_is_a_failure(receiver: Receiver) -> None:
    def half(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "10")
        handler.end_headers()
        handler.wfile.write(b"half")
        handler.close_connection = True

    receiver.answer = half
    with pytest.raises(FetchFailed, match="broke off") as caught:
        get(receiver.url)
    assert caught.value.retryable


# --- Times ---------------------------------------------------------------------------------------


def test_server_that_hangs_is_given_up_at_the_deadline(receiver: Receiver) -> None:
    receiver.answer = hang
    began = time.monotonic()
    with pytest.raises(FetchFailed, match="in time"):
        get(receiver.url, seconds=0.4)
    assert time.monotonic() - began < 25


@pytest.mark.parametrize("part", ["headers", "body"])
def test_slow_drip_is_given_up_at_the_deadline(receiver: Receiver, part: str) -> None:
    def drip(handler: Handler) -> None:
        if part == "body":
            handler.send_response(200)
            handler.send_header("Content-Length", "100000")
            handler.end_headers()
        else:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Drip: ")
        while not handler.server.over.wait(0.05):
            handler.wfile.write(b"x")
            handler.wfile.flush()

    receiver.answer = drip
    began = time.monotonic()
    with pytest.raises(FetchFailed, match="in time"):
        get(receiver.url, seconds=0.6)
    assert time.monotonic() - began < 25


def test_look_up_that_hangs_is_given_up_at_the_deadline(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(*_args: Any, **_options: Any) -> Any:
        receiver.over.wait(30)
        raise OSError("no answer")

    monkeypatch.setattr("socket.getaddrinfo", look_up)
    with pytest.raises(FetchFailed, match="in time"):
        get("https://slow.example/", seconds=0.3)


def test_name_that_does_not_exist_may_be_tried_again() -> None:
    with pytest.raises(FetchFailed, match="looked up") as caught:
        get("https://no-such-host.invalid/")
    assert caught.value.retryable


# --- Redirects -------------------------------------------------------------------------------------


def test_redirect_is_followed_for_a_download(receiver: Receiver) -> None:
    def answer(handler: Handler) -> None:
        moved = answer_with(301, Location="/there?x=1")
        (answer_with(200, b"here") if handler.path.startswith("/there") else moved)(handler)

    receiver.answer = answer
    fetched = get(receiver.url)
    assert (fetched.body, fetched.url) == (b"here", receiver.url.replace("/hook", "/there?x=1"))


def test_endless_redirects_end_after_three(receiver: Receiver) -> None:
    receiver.answer = answer_with(302, Location="/again")
    with pytest.raises(FetchFailed, match="redirects"):
        get(receiver.url)
    assert len(receiver.received) == 4


def test_redirect_is_an_answer_where_none_is_to_be_followed(receiver: Receiver) -> None:
    receiver.answer = answer_with(302, Location="http://169.254.169.254/")
    answer = fetch.request("POST", receiver.url, body=b"x", max_bytes=10, timeout_seconds=5)
    assert answer.status == 302


def test_own_headers_do_not_follow_a_redirect_to_another_server(receiver: Receiver) -> None:
    with running_receiver() as other:
        receiver.answer = answer_with(307, Location=other.url)
        fetch.request(
            "GET", receiver.url, headers={"Authorization": "Bearer s", "X-Api-Key": "k"}, max_bytes=10,
            timeout_seconds=5, redirects=1,
        )  # fmt: skip
        assert receiver.received[0].headers["authorization"] == "Bearer s"
        assert not {"authorization", "x-api-key"} & set(other.received[0].headers)


@pytest.mark.parametrize("location", ["https://user:pw@8.8.8.8/", "ftp://8.8.8.8/", "http://8.8.8.8/", "https://[::1"])
def test_redirect_to_what_would_be_refused_is_refused(receiver: Receiver, location: str) -> None:
    receiver.answer = answer_with(302, Location=location)
    with pytest.raises(UrlRefused):
        get(receiver.url)


# --- Failures --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "again"), [(404, False), (410, False), (429, True), (500, True), (503, True)])
def test_download_fails_by_http_status_without_its_body(receiver: Receiver, status: int, again: bool) -> None:
    receiver.answer = answer_with(status, b"secret of the inside")
    with pytest.raises(FetchFailed, match=f"HTTP status {status}") as caught:
        get(receiver.url)
    assert caught.value.retryable is again
    assert "secret" not in caught.value.message


def test_server_that_is_not_there_is_a_failure_that_may_pass(loopback_allowed: None) -> None:
    with running_receiver() as gone:
        url = gone.url
    with pytest.raises(FetchFailed, match="cannot be reached") as caught:
        get(url)
    assert caught.value.retryable
    assert "127.0.0.1" not in caught.value.message


def test_server_that_speaks_no_http_is_a_failure(receiver: Receiver) -> None:
    receiver.answer = lambda handler: handler.wfile.write(b"220 ready for mail\r\n")
    with pytest.raises(FetchFailed, match="HTTP"):
        get(receiver.url)


# --- TLS -------------------------------------------------------------------------------------------


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Write a certificate of `tls.example`, signed by itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tls.example")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("tls.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "tls.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture
def trusting(monkeypatch: pytest.MonkeyPatch, certificate: Path) -> Any:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    fetch._tls.cache_clear()
    yield
    fetch._tls.cache_clear()


@pytest.fixture
def tls_receiver(certificate: Path, loopback_allowed: None, names: Callable[..., list[str]]) -> Any:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    asked: list[str | None] = []
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    names("tls.example", ["127.0.0.1"])
    with running_receiver(tls=context) as server:
        server.server_names = asked  # type: ignore[attr-defined]
        yield server


def test_pinned_connection_keeps_the_server_name_and_checks_the_certificate(trusting: None, tls_receiver: Any) -> None:
    assert get(f"https://tls.example:{tls_receiver.port}/").status == 204
    assert tls_receiver.server_names == ["tls.example"]
    assert tls_receiver.received[0].headers["host"] == f"tls.example:{tls_receiver.port}"


def test_certificate_of_another_name_is_refused(trusting: None, tls_receiver: Any) -> None:
    with pytest.raises(FetchFailed, match="certificate"):
        get(f"https://127.0.0.1:{tls_receiver.port}/")
    assert not tls_receiver.received


def test_certificate_of_an_unknown_authority_is_refused(tls_receiver: Any) -> None:
    with pytest.raises(FetchFailed, match="certificate"):
        get(f"https://tls.example:{tls_receiver.port}/")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        ("Mon, 01 Jan 2001 00:00:00 GMT", 0.0),
        ("soon", None),
        ("Mon, 01 Jan 99999999999999 00:00:00 GMT", None),
        ("Mon, 01 Jan 2027 99999999999:00:00 GMT", None),
        ("", None),
    ],
)
def test_wish_to_be_asked_later_is_read_whatever_it_says(header: str, seconds: float | None) -> None:
    answer = fetch.Fetched(503, {"retry-after": header}, "", b"", "https://example.com/")
    assert answer.retry_after_seconds == seconds
