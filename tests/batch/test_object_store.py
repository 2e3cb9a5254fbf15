"""batch/sources/object_store.py: photos found, read and written at addresses, on a real S3 server and in memory."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import pytest
from conftest import DrawPhoto
from PIL import Image
from typer.testing import CliRunner
from upath import UPath

from img2img.batch import addresses
from img2img.batch.addresses import address_of, place
from img2img.batch.engines.threads import run_jobs
from img2img.batch.job import Found, Job
from img2img.batch.outcome import Outcome
from img2img.batch.photo_options import PhotoOptions
from img2img.batch.sources.listing import list_photos
from img2img.batch.sources.object_store import list_store, read_object, write_object
from img2img.batch.task import Colorizing, PhotoConverter
from img2img.cli.app import app
from img2img.errors import Img2ImgError, UnreadablePhoto, UnwritablePhoto


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    """An S3 server on this machine, which s3fs finds by its environment, as a function that calls it."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "somebody")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        yield UPath("s3://nowhere").fs.call_s3
    server.stop()


@pytest.fixture
def bucket(s3: Callable[..., Any], request: pytest.FixtureRequest) -> str:
    """The address of a bucket of the test's own."""
    name = f"b{abs(hash(request.node.name))}"
    s3("create_bucket", Bucket=name)
    return f"s3://{name}"


@pytest.fixture
def memory(request: pytest.FixtureRequest) -> str:
    return f"memory://{request.node.name}"


STORES = pytest.mark.parametrize("store", ["bucket", "memory"])


@pytest.fixture
def store_at(store: str, request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(store))


def png(value: int = 100, size: tuple[int, int] = (48, 32)) -> bytes:
    stream = BytesIO()
    Image.new("L", size, value).save(stream, "PNG")
    return stream.getvalue()


def put(store: str, *names: str) -> None:
    for name in names:
        write_object(address_of(f"{store}/{name}"), png())


def below(listed: Iterator[Found | Outcome]) -> list[str]:
    found = list(listed)
    assert all(isinstance(each, Found) for each in found), found
    return sorted(str(each.below) for each in found if isinstance(each, Found))


def errors(listed: Iterator[Found | Outcome]) -> list[str]:
    return [str(each.error) for each in listed if isinstance(each, Outcome)]


@STORES
def test_photos_are_found_by_suffix_in_their_tree_and_hidden_ones_left_out(store_at: str) -> None:
    put(store_at, "in/a.png", "in/deep/er/b.JPG", "in/notes.txt", "in/.c.png", "in/.hidden/d.png", "inner/e.png")
    assert below(list_store(f"{store_at}/in")) == ["a.png", "deep/er/b.JPG"]
    assert below(list_store(f"{store_at}/in/")) == ["a.png", "deep/er/b.JPG"]
    assert below(list_store(f"{store_at}/in", recursive=False)) == ["a.png"]
    assert below(list_store(store_at)) == ["in/a.png", "in/deep/er/b.JPG", "inner/e.png"]


@STORES
def test_found_has_the_objects_size_and_time_and_its_name_leads_back_to_it(store_at: str) -> None:
    content = png(7)
    write_object(address_of(f"{store_at}/in/ü #1? 50%.png"), content)
    (found,) = list_store(f"{store_at}/in")
    assert isinstance(found, Found)
    assert found.size == len(content)
    assert abs(found.mtime / 1e9 - time.time()) < 60
    assert place(str(found.source)) == found.source
    assert read_object(place(str(found.source))) == content


@STORES
def test_an_object_that_is_named_is_found_whatever_its_suffix(store_at: str) -> None:
    put(store_at, "in/scan.dat", "in/scan.dat.png")
    assert below(list_store(f"{store_at}/in/scan.dat")) == ["scan.dat"]


@STORES
def test_an_address_without_photos_is_a_failure_that_names_it(store_at: str) -> None:
    put(store_at, "in/notes.txt")
    for address in (f"{store_at}/in", f"{store_at}/none"):
        (error,) = errors(list_store(address))
        assert address in error
        assert "no photos" in error or "no such object" in error


def test_listing_goes_on_after_a_page_and_holds_one_at_a_time(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    put(bucket, *(f"in/{n:02}.png" for n in range(10)))
    real = UPath(bucket).fs.call_s3
    pages = []

    def in_threes(method: str, **asked: Any) -> Any:
        pages.append(asked.get("ContinuationToken"))
        return real(method, **asked, MaxKeys=3)

    monkeypatch.setattr(type(UPath(bucket).fs), "call_s3", staticmethod(in_threes))
    listed = list_store(f"{bucket}/in")
    assert isinstance(next(listed), Found)
    assert len(pages) == 1
    assert len(list(listed)) == 9
    assert len(pages) == 4


def test_names_that_no_folder_can_hold_are_refused_and_the_rest_listed(bucket: str, s3: Callable[..., Any]) -> None:
    name = bucket.removeprefix("s3://")
    for key in ("in/../../out.png", "in/a//b.png", "in/good.png"):
        s3("put_object", Bucket=name, Key=key, Body=png())
    listed = list(list_store(f"{bucket}/in"))
    assert below(each for each in listed if isinstance(each, Found)) == ["good.png"]
    assert all("rename it" in error for error in errors(iter(listed)))
    assert len(listed) == 3


def test_missing_bucket_is_a_failure(s3: Any) -> None:
    (error,) = errors(list_store("s3://no-such-bucket/in"))
    assert error.startswith("s3://no-such-bucket/in: no such object, or no such bucket")


def test_a_store_that_does_not_answer_is_a_failure(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def unplugged(*args: Any, **asked: Any) -> Any:
        raise ConnectionError("Could not connect to the endpoint")

    monkeypatch.setattr(type(UPath("s3://b").fs), "call_s3", staticmethod(unplugged))
    (error,) = errors(list_store("s3://bucket"))
    assert "Could not connect" in error
    assert "run it again" in error


@STORES
def test_missing_object_names_its_address(store_at: str) -> None:
    with pytest.raises(UnreadablePhoto, match=r"none\.png: no such object"):
        read_object(address_of(f"{store_at}/none.png"))


def test_object_that_cannot_be_written_names_its_address(s3: Any) -> None:
    with pytest.raises(UnwritablePhoto, match=r"s3://no-such-bucket/a\.png: no such object, or no such bucket"):
        write_object(address_of("s3://no-such-bucket/a.png"), b"x")


def test_stores_where_half_an_object_could_be_seen_are_refused() -> None:
    with pytest.raises(UnwritablePhoto, match="results go to folders and to s3://"):
        write_object(UPath("ftp://host/a.png"), b"x")


def test_an_interrupted_upload_leaves_the_object_as_it_was(memory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    target = address_of(f"{memory}/a.png")
    write_object(target, b"before")

    def torn(*args: Any, **options: Any) -> None:
        raise OSError("connection lost")

    monkeypatch.setattr("fsspec.implementations.memory.MemoryFile.__init__", torn)
    with pytest.raises(UnwritablePhoto, match="connection lost"):
        write_object(target, b"after")
    assert read_object(target) == b"before"


@pytest.mark.slow
def test_a_large_object_that_breaks_off_is_not_there(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    target = address_of(f"{bucket}/large.tiff")
    store = UPath(bucket).fs
    real = type(store)._call_s3

    async def breaking(self: Any, method: str, *args: Any, **asked: Any) -> Any:
        if method == "complete_multipart_upload":
            raise OSError("connection lost")
        return await real(self, method, *args, **asked)

    monkeypatch.setattr(type(store), "_call_s3", breaking)
    with pytest.raises(UnwritablePhoto, match="connection lost"):
        write_object(target, bytes(101 << 20))
    with pytest.raises(UnreadablePhoto, match="no such object"):
        read_object(target)


def test_file_addresses_are_files(tmp_path: Path, draw_photo: DrawPhoto) -> None:
    photo = draw_photo(tmp_path / "in" / "a b.png")
    assert address_of(photo.as_uri().replace("%20", " ")) == photo
    (found,) = list_photos([f"file://{tmp_path}/in"])
    assert isinstance(found, Found)
    assert (found.source, found.below) == (photo, PurePath("a b.png"))
    assert isinstance(found.source, Path)


def test_unknown_kind_of_address_is_an_error() -> None:
    with pytest.raises(Img2ImgError, match="nope://: no such kind of address"):
        address_of("nope://bucket/a.png")


@pytest.mark.parametrize(("address", "package"), [("gs://bucket/a.png", "gcsfs"), ("az://bucket/a.png", "adlfs")])
def test_missing_package_is_an_error_that_names_it(address: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    addresses._check_protocol.cache_clear()
    with pytest.raises(Img2ImgError, match=f"pip install {package}"):
        address_of(address)


def test_without_upath_an_address_is_an_error_and_a_path_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "upath", None)
    with pytest.raises(Img2ImgError, match="pip install universal-pathlib"):
        place("s3://bucket/a.png")
    assert place("folder/a.png") == Path("folder/a.png")


@STORES
def test_results_in_a_store_are_those_in_a_folder(store_at: str, tmp_path: Path, tiny_model: Path) -> None:
    opened = Colorizing(str(tiny_model)).open(threads=1)
    for n in range(3):
        write_object(address_of(f"{store_at}/in/{n}/photo.png"), png(60 * n))
    write_object(address_of(f"{store_at}/in/letter.png"), b"a letter")
    found = [each for each in list_photos([f"{store_at}/in"]) if isinstance(each, Found)]
    there = [Job(each.source, place(f"{store_at}/out/{each.below}")) for each in found]
    here = [Job(each.source, tmp_path / each.below) for each in found]
    outcomes = {str(each.source): each for each in run_jobs(there, opened, PhotoOptions(), workers=2)}
    list(run_jobs(here, opened, PhotoOptions(), workers=2))
    failed = [each for each in outcomes.values() if each.status == "failed"]
    assert [str(each.error) for each in failed] == [
        f"{store_at}/in/letter.png: not a photo; give a JPEG, PNG, TIFF, WebP, AVIF, BMP, GIF or HEIC file"
    ]
    for far, near in zip(there, here, strict=True):
        if near.target.exists():
            assert read_object(far.target) == near.target.read_bytes()
            assert outcomes[str(far.source)].bytes == near.target.stat().st_size
    assert sum(job.target.exists() for job in here) == 3


@STORES
def test_command_does_in_a_store_only_what_is_missing_and_leaves_what_was_edited(
    store_at: str, tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for n in range(3):
        write_object(address_of(f"{store_at}/in/{n}/photo.png"), png(60 * n))

    def said(*more: str) -> str:
        words = ["colorize", "--model", str(tiny_model), f"{store_at}/in", "-o", f"{store_at}/out", *more]
        result = CliRunner().invoke(app, words, catch_exceptions=False)
        assert result.exit_code == 0
        return result.stdout

    assert said() == f"3 coloured into {store_at}/out, 0 failed, 0 skipped\n"
    assert said() == "0 coloured, 0 failed, 3 skipped (3 up to date)\n"
    write_object(address_of(f"{store_at}/out/1/photo.png"), b"edited")
    address: Any = address_of(f"{store_at}/out/2/photo.png")
    address.fs.rm_file(address.path)
    assert said() == f"1 coloured into {store_at}/out, 0 failed, 2 skipped (2 up to date)\n"
    assert (
        said("--strength", "0.5")
        == f"2 coloured into {store_at}/out, 0 failed, 1 skipped (1 changed since it was made)\n"
    )
    assert read_object(address_of(f"{store_at}/out/1/photo.png")) == b"edited"
    assert len(list(tmp_path.glob(".img2img-journal-*.sqlite"))) == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        pytest.param(["s3://bucket/a.png", "-o", "here.png"], "s3://bucket/a.png: could not be read", id="one photo"),
        pytest.param(["a.png", "-o", "s3://bucket/b.png"], "s3://bucket/b.png: could not be read", id="to one"),
        pytest.param(["in", "-o", "s3://bucket/out"], "s3://bucket/out/a.png: could not be read", id="to many"),
        pytest.param(["s3://bucket/in", "-o", "here/"], "s3://bucket/in: could not be read", id="from many"),
    ],
)
def test_command_names_a_store_that_does_not_answer(
    words: list[str],
    says: str,
    s3: Any,
    tmp_path: Path,
    draw_photo: DrawPhoto,
    tiny_model: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    draw_photo(Path("a.png"))
    draw_photo(Path("in/a.png"))
    monkeypatch.setattr(type(UPath("s3://bucket").fs), "_call_s3", _no_answer)
    result = CliRunner().invoke(app, ["colorize", "--model", str(tiny_model), *words], catch_exceptions=False)
    assert result.exit_code == 1
    assert f"{says} (no answer); check the address and the connection" in result.stderr


async def _no_answer(*args: Any, **options: Any) -> None:
    raise RuntimeError("no answer")


def test_deep_pictures_keep_their_depth_in_a_store(memory: str, tmp_path: Path) -> None:
    deep = tmp_path / "deep.png"
    Image.fromarray(np.linspace(0, 65535, 48 * 32).astype(np.uint16).reshape(32, 48)).save(deep)
    write_object(address_of(f"{memory}/deep.png"), deep.read_bytes())
    job = Job(address_of(f"{memory}/deep.png"), address_of(f"{memory}/out.png"))
    (outcome,) = run_jobs([job], PhotoConverter(lambda photo: photo))
    assert outcome.status == "done"
    with Image.open(BytesIO(read_object(job.target))) as result, Image.open(deep) as source:
        assert np.array_equal(np.asarray(result), np.asarray(source))


def test_a_format_that_cannot_be_written_fails_with_the_targets_address(memory: str) -> None:
    put(memory, "a.png")
    job = Job(address_of(f"{memory}/a.png"), address_of(f"{memory}/a.gif"))
    (outcome,) = run_jobs([job], PhotoConverter(lambda photo: photo))
    assert outcome.status == "failed"
    assert str(outcome.error).startswith(f"{memory}/a.gif: ")
