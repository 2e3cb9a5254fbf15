"""A real server under those who misuse it: slow, gone, too many; a full disk; and its end."""

import resource
import signal
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from served import CHECKOUT, Served, served
from waiting import wait_for

PHOTO = (CHECKOUT / "datasets" / "samples" / "whitman-1860s.jpg").read_bytes()
HEAD = b"POST /api/v1/colorize HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
LONG_HEAD = HEAD.replace(b"\r\n\r\n", b"\r\nX-Long: " + b"x" * 800 + b"\r\n\r\n")


@pytest.fixture(scope="module")
def long_work() -> bytes:
    """A photo of few bytes that takes a second or more, also of a processor that has nothing else to do."""
    whole = BytesIO()
    Image.linear_gradient("L").resize((8000, 6000)).save(whole, "PNG", compress_level=1)
    return whole.getvalue()


def last_words(connection: socket.socket) -> bytes:
    """All that comes until the other side ends."""
    received = b""
    try:
        while some := connection.recv(65536):
            received += some
    except ConnectionResetError:
        pass
    return received


def dripped(server: Served, whole: bytes, start: bytes) -> tuple[bytes, float]:
    """What is answered to a client that sends a byte now and then, and after how long."""
    began = time.monotonic()
    with server.connect() as connection:
        connection.settimeout(120)
        connection.sendall(start)
        stop = threading.Event()

        def drip() -> None:
            for byte in whole:
                if stop.wait(0.2):
                    return
                try:
                    connection.sendall(bytes([byte]))
                except OSError:
                    return

        dripping = threading.Thread(target=drip)
        dripping.start()
        answer = last_words(connection)
        stop.set()
        dripping.join()
    return answer, time.monotonic() - began


@pytest.mark.slow
def test_a_client_that_sends_a_byte_now_and_then_is_cut_off(tmp_path: Path) -> None:
    with served(tmp_path, "--patience", "1", "--workers", "1", "--queue", "0") as server:
        for whole, start in ((PHOTO, HEAD % len(PHOTO)), (LONG_HEAD % 5, b"P"), (b"", b"")):
            answer, seconds = dripped(server, whole, start)
            assert answer.startswith(b"HTTP/1.1 408 Request Timeout")
            assert seconds < 60  # a head takes 170 at this pace, and a photo hours
        assert server.ask("POST", "/api/v1/colorize", PHOTO).status == 200  # its place is free again
        wait_for(lambda: server.leftovers() == [])


@pytest.mark.slow
def test_a_reader_that_takes_nothing_is_cut_off(tmp_path: Path) -> None:
    photo = BytesIO()
    Image.effect_noise((2000, 1500), 90).save(photo, "PNG")
    with served(tmp_path, "--patience", "1") as server, server.connect() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(HEAD.replace(b"colorize", b"colorize?format=png") % len(photo.getvalue()) + photo.getvalue())
        wait_for(lambda: server.leftovers() != [])
        wait_for(lambda: server.leftovers() == [])


def test_what_is_no_http_is_a_problem(tmp_path: Path) -> None:
    with served(tmp_path) as server, server.connect() as connection:
        connection.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        answer = last_words(connection)
        assert answer.startswith(b"HTTP/1.1 400 Bad Request")
        assert b"application/problem+json" in answer


def test_a_head_that_is_too_long_is_answered_while_its_client_still_sends(tmp_path: Path) -> None:
    """Many times: the answer was lost where the server closed before it had read all that had come."""
    with served(tmp_path) as server:
        answers = [server.ask("POST", "/api/v1/previews", PHOTO, {"X-Long": "x" * 150_000}) for _ in range(30)]
        assert {each.status for each in answers} == {400}
        assert {each.json["detail"] for each in answers} == {"the request is no HTTP"}
        assert server.errors.read_text() == ""


@pytest.mark.slow
def test_a_client_that_leaves_takes_its_photo_along(tmp_path: Path, long_work: bytes) -> None:
    with served(tmp_path, "--workers", "1", "--queue", "1") as server:
        for sent in (long_work, long_work[:50_000]):  # whole, so that work begins; and half
            with server.connect() as connection:
                connection.sendall(HEAD % len(long_work) + sent)
                wait_for(lambda: server.leftovers() != [])
            wait_for(lambda: server.leftovers() == [])
        assert server.ask("POST", "/api/v1/colorize", PHOTO).status == 200


@pytest.mark.slow
def test_beyond_the_queue_clients_are_asked_to_come_again(tmp_path: Path, long_work: bytes) -> None:
    with served(tmp_path, "--workers", "1", "--queue", "1") as server, ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: server.ask("POST", "/api/v1/colorize", long_work), range(6)))
        statuses = sorted(each.status for each in answers)
        assert set(statuses) == {200, 503}
        assert statuses.count(200) >= 2
        for each in answers:
            if each.status == 503:
                assert 1 <= int(each.headers["retry-after"]) <= 120
                assert "try again later" in each.json["detail"]
        assert server.ask("GET", "/healthz").status == 200


def small_files() -> None:
    """For a child: no file beyond 60 kB, as on a disk that is full."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))


def test_a_full_disk_is_told_and_costs_no_later_photo(tmp_path: Path) -> None:
    with served(tmp_path, limited=small_files) as server:
        assert len(PHOTO) > 60_000
        answer = server.ask("POST", "/api/v1/colorize", PHOTO)
        assert (answer.status, answer.headers["content-type"]) == (503, "application/problem+json")
        assert "retry-after" in answer.headers
        wait_for(lambda: server.leftovers() == [])
        tiny = BytesIO()
        Image.linear_gradient("L").resize((64, 48)).save(tiny, "PNG")
        assert server.ask("POST", "/api/v1/colorize", tiny.getvalue()).status == 200


def at_work(server: Served, photo: bytes, pool: ThreadPoolExecutor, count: int) -> Callable[[], list[int]]:
    """So many requests under way; gives what they were answered."""
    asked = [pool.submit(server.ask, "POST", "/api/v1/colorize", photo) for _ in range(count)]
    wait_for(lambda: len(server.leftovers()) >= count)
    return lambda: sorted(each.result().status for each in asked)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_finishes_what_is_in_hand_and_refuses_the_rest(
    tmp_path: Path, long_work: bytes, number: signal.Signals
) -> None:
    with served(tmp_path, "--workers", "1") as server, ThreadPoolExecutor(3) as pool:
        idle = server.seconds()
        answers = at_work(server, long_work, pool, 3)
        wait_for(lambda: server.seconds() > idle + 0.3)  # the first is in hand: uploads take no such time
        assert server.end(number) == 0
        assert answers() == [200, 503, 503]
        assert server.leftovers() == []
        assert server.errors.read_text() == ""


def test_a_signal_does_not_wait_for_a_slow_upload(tmp_path: Path) -> None:
    with served(tmp_path) as server, server.connect() as connection:
        connection.sendall(HEAD % len(PHOTO) + PHOTO[:1000])
        wait_for(lambda: server.leftovers() != [])
        began = time.monotonic()
        assert server.end() == 0
        assert time.monotonic() - began < 25  # of the 30 that it may take
        assert b" 408 " in last_words(connection)
