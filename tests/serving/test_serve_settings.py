"""What a server is told at its start, and what it refuses to start with."""

from pathlib import Path

import pytest

from img2img.errors import Img2ImgError, UsageError
from img2img.serving.settings import ServeSettings, check_open_host, is_loopback, parse_size, read_token
from img2img.serving.start import start_server


def test_sizes_are_read_in_the_units_of_disks() -> None:
    assert [parse_size(text, "--x") for text in ("50MB", "1.5 gb", "200k", "7")] == [
        50_000_000,
        1_500_000_000,
        200_000,
        7,
    ]
    for text in ("", "0", "much", "-1MB", "5TB"):
        with pytest.raises(UsageError, match=r"--x .*: give a size such as 50MB"):
            parse_size(text, "--x")


def test_loopback_is_what_no_other_machine_reaches() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.0.0.9", "::1", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "192.168.1.5", "photos.example")))


def test_an_open_address_needs_a_token_or_the_word() -> None:
    with pytest.raises(UsageError, match=r"--host 0.0.0.0 can be reached by other machines: add --token-file"):
        check_open_host("0.0.0.0", None, no_token=False)
    check_open_host("0.0.0.0", "secret", no_token=False)
    check_open_host("0.0.0.0", None, no_token=True)
    check_open_host("127.0.0.1", None, no_token=False)


def test_a_token_is_the_files_first_line_and_long_enough(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("sixteen-letters-1\nnot this\n")
    assert read_token(path) == "sixteen-letters-1"
    for text in ("", "short", "with spaces is no token", "ümläute-sind-nicht-ascii"):
        path.write_text(text)
        with pytest.raises(UsageError, match="needs 16 or more letters"):
            read_token(path)
    with pytest.raises(UsageError, match="no such file"):
        read_token(tmp_path / "missing")


def test_names_of_this_server() -> None:
    settings = ServeSettings(host="0.0.0.0", allowed_hosts=frozenset({"photos.example"}))
    assert all(map(settings.names_us, ("localhost", "127.0.0.1", "::1", "photos.example")))
    assert not any(map(settings.names_us, ("", "evil.example", "localhost.evil.example")))


def test_without_its_packages_the_command_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.testing import CliRunner

    from img2img.cli import serve
    from img2img.cli.app import app

    monkeypatch.setattr(serve, "find_spec", lambda name: None)
    done = CliRunner().invoke(app, ["serve"])
    assert (done.exit_code, "pip install '.[serve]'" in done.output) == (1, True)


def test_a_port_that_is_taken_is_told() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Img2ImgError, match=f"127.0.0.1:{port}: .*choose another --port"):
            start_server(ServeSettings(port=port), tell=lambda address: None, open_browser=False)
