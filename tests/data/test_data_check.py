"""`img2img data check`: what is found in training data, on images drawn by code."""

import json
import os
import struct
import subprocess
import sys
import tarfile
import zlib
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from img2img.cli.app import app
from img2img.cli.training.data import FindingKind
from img2img.data.check.duplicates import near_groups
from img2img.data.check.findings import KINDS
from img2img.data.check.look import Content, difference_hash, look, look_at
from img2img.data.listing import ListedImage, list_images
from img2img.data.open_source import open_source

CHECKOUT = Path(__file__).resolve().parents[2]
RUNNER = CliRunner()


def scene(seed: int, size: tuple[int, int] = (96, 80)) -> Image.Image:
    """A picture of soft colours that no other seed is like."""
    colours = np.random.default_rng(seed).integers(0, 256, (5, 6, 3), np.uint8)
    return Image.fromarray(colours).resize(size, Image.Resampling.BICUBIC)


def save(image: Image.Image, path: Path, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, **options)
    return path


def check(*words: object) -> Result:
    return RUNNER.invoke(app, ["data", "check", *map(str, words)])


def listed(kind: str, *words: object) -> list[str]:
    return check(*words, "--list", kind).stdout.splitlines()


@pytest.fixture
def good(tmp_path: Path) -> Path:
    for seed in range(5):
        save(scene(seed), tmp_path / "set" / "ab"[seed % 2] / f"{seed}.png")
    return tmp_path / "set"


def test_clean_data_is_counted_and_passes(good: Path) -> None:
    result = check(good)
    assert result.exit_code == 0, result.output
    for words in ("5 images", "smallest 96 x 80, median 96 x 80, largest 96 x 80", "a: 3", "b: 2", "nothing to remark"):
        assert words in result.stdout


def test_sizes_and_bytes_are_those_of_the_files(tmp_path: Path) -> None:
    for seed, size in enumerate([(100, 90), (64, 70), (300, 200)]):
        save(scene(seed, size), tmp_path / f"{seed}.png")
    report = json.loads(check(tmp_path, "--json").stdout)
    assert (report["smallest"], report["median"], report["largest"]) == ([64, 70], [100, 90], [300, 200])
    assert report["bytes"] == sum(path.stat().st_size for path in tmp_path.iterdir())
    assert report["groups"] == {".": 3}


def bomb() -> bytes:
    """A PNG of a few bytes that claims 60,000 x 60,000 pixels."""
    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(100))), (b"IEND", b""))
    parts = (struct.pack(">I", len(c)) + n + c + struct.pack(">I", zlib.crc32(n + c)) for n, c in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def test_what_would_stop_a_training_is_named_with_its_reason(good: Path) -> None:
    whole = (good / "a" / "0.png").read_bytes()
    jpeg = save(scene(9), good / "whole.jpg").read_bytes()
    bad = {
        "cut.png": (whole[: len(whole) // 2], "damaged or incomplete"),
        "cut.jpg": (jpeg[: len(jpeg) // 2], "damaged or incomplete"),
        "empty.png": (b"", "empty"),
        "page.jpg": (b"<!DOCTYPE html><title>Not found</title>" * 9, "not an image inside"),
        "bomb.png": (bomb(), "60000 x 60000 pixels"),
    }
    for name, (content, _) in bad.items():
        (good / name).write_bytes(content)
    (good / "nowhere.webp").symlink_to(good / "gone.webp")
    result = check(good)
    assert result.exit_code == 1
    assert "6 unreadable" in result.stdout
    assert "delete them" in result.stdout
    assert set(listed("unreadable", good)) == {str(good / name) for name in (*bad, "nowhere.webp")}
    notes = {
        Path(each["name"]).name: each["note"]
        for each in json.loads(check(good, "--json").stdout)["findings"]["unreadable"]
    }
    for name, (_, reason) in bad.items():
        assert reason in notes[name]
        assert ";" not in notes[name], "the advice is given once, for all"


def test_no_images_at_all_fail(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("none")
    result = check(tmp_path)
    assert result.exit_code == 1
    assert "no images: training takes .jpg" in result.stdout
    assert listed("others", tmp_path) == [str(tmp_path / "notes.txt")]


def test_missing_folder_is_one_line(tmp_path: Path) -> None:
    result = check(tmp_path / "gone")
    assert result.exit_code == 1
    assert "gone: no such folder or tar file" in result.stderr


def test_grey_is_grey_in_any_mode_and_pale_colour_is_not(tmp_path: Path) -> None:
    grey = scene(0).convert("L")
    levels = np.asarray(grey)
    save(grey, tmp_path / "one channel.png")
    save(grey.convert("RGB"), tmp_path / "three channels.jpg", quality=70)
    save(Image.fromarray(levels.astype(np.uint16) * 257), tmp_path / "16 bits.png")
    save(Image.fromarray(np.dstack([levels, levels, np.minimum(levels, 253) + 2])), tmp_path / "two levels off.png")
    save(Image.fromarray(np.dstack([levels // 2 + 9, levels // 2, levels // 2])), tmp_path / "pale.png")
    save(scene(1), tmp_path / "colourful.png")
    grey_ones = {Path(name).name for name in listed("grey", tmp_path)}
    assert grey_ones == {"one channel.png", "three channels.jpg", "16 bits.png", "two levels off.png"}


def test_tiny_is_by_the_short_side(tmp_path: Path) -> None:
    save(scene(0, (200, 63)), tmp_path / "flat.png")
    save(scene(1, (64, 64)), tmp_path / "enough.png")
    assert listed("tiny", tmp_path) == [str(tmp_path / "flat.png")]
    assert len(listed("tiny", tmp_path, "--min-size", 65)) == 2
    assert check(tmp_path).exit_code == 0, "tiny images are a remark"


def test_exact_duplicates_are_the_same_pixels_in_whatever_file(good: Path) -> None:
    save(scene(0), good / "a" / "copy.bmp")
    save(scene(0), good / "z.webp", lossless=True)
    assert listed("duplicates", good) == [str(good / "a" / "copy.bmp"), str(good / "z.webp")]
    assert listed("near-duplicates", good) == []
    assert "like" in check(good).stdout


def test_the_only_copy_is_never_its_own_duplicate(good: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.symlink_to(good)
    tar = packed(good / "a", tmp_path / "set.tar")
    for sources in ((good, good), (good, good / "a"), (good / "a", good), (good, elsewhere), (tar, tar)):
        report = json.loads(check(*sources, "--json").stdout)
        assert report["images"] == (3 if tar in sources else 5)
        assert not report["findings"]["duplicates"]
    assert len(listed("duplicates", good / "a", tar)) == 3, "a copy in a tar is a copy"


@pytest.mark.skipif(sys.platform == "win32", reason="making links needs a privilege there")
@pytest.mark.parametrize("link", ["0 first.png", "z last.png"])
def test_of_a_link_and_its_target_the_target_stays(good: Path, link: str) -> None:
    (good / "a" / link).symlink_to(good / "a" / "2.png")
    (good / "b" / link).symlink_to(good / "a" / link)
    for sources in ((good,), (good / "a" / ".." / "a", good)):
        names = [each.path.name for each in list_images(sources).images]
        assert sorted(names) == [f"{seed}.png" for seed in range(5)]
    assert listed("duplicates", good) == []
    (good / "a" / "2.png").rename(good.parent / "2.png")
    (good / "a" / link).unlink()
    (good / "a" / link).symlink_to(good.parent / "2.png")
    assert len(list_images([good]).images) == 5, "of two links to what is not in the set, one stays"


def test_one_image_is_one_image(tmp_path: Path) -> None:
    save(scene(0), tmp_path / "0.png")
    save(scene(0), tmp_path / "1.png")
    (tmp_path / "notes.txt").touch()
    assert "\n1 exact duplicate\n" in check(tmp_path).stdout
    assert "\n1 file that is no image\n" in check(tmp_path).stdout
    (tmp_path / "0.png").unlink()
    assert check(tmp_path).stdout.startswith("1 image, ")


def test_the_word_digits_needs_no_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = check("digits")
    assert result.exit_code == 1
    assert "come with img2img and need no check" in result.stderr
    save(scene(0), tmp_path / "digits" / "0.png")
    assert check("digits").exit_code == 0


def test_depth_makes_no_other_picture(tmp_path: Path) -> None:
    levels = np.asarray(scene(0).convert("L"))
    save(Image.fromarray(levels), tmp_path / "8.png")
    save(Image.fromarray(levels.astype(np.uint16) * 257), tmp_path / "16.tif")
    assert listed("duplicates", tmp_path) == [str(tmp_path / "8.png")]


def test_near_duplicates_leave_the_largest(good: Path) -> None:
    large = save(scene(0, (192, 160)), good / "large.png")
    save(scene(0, (192, 160)), good / "squeezed.jpg", quality=50)
    report = json.loads(check(good, "--json").stdout)
    found = {Path(each["name"]).name: each["note"] for each in report["findings"]["near-duplicates"]}
    assert found == {"0.png": f"like {large}", "squeezed.jpg": f"like {large}"}
    assert not report["findings"]["duplicates"]


def sunset(sky: tuple[int, int, int], sea: tuple[int, int, int]) -> Image.Image:
    """Two bands, each with the same slope of light: every sunset's difference hash."""
    bands = np.repeat(np.array([sky, sea], np.int16), 48, 0)[:, None] + np.linspace(-30, 30, 96)[None, :, None]
    return Image.fromarray(bands.clip(0, 255).astype(np.uint8))


def test_two_sunsets_of_one_hash_are_two_pictures(tmp_path: Path) -> None:
    red, blue = sunset((200, 90, 60), (90, 60, 60)), sunset((60, 90, 200), (30, 40, 120))
    assert difference_hash(red) == difference_hash(blue)
    save(red, tmp_path / "red.png")
    save(blue, tmp_path / "blue.png")
    assert listed("near-duplicates", tmp_path) == []


def content(hash: int, level: int) -> Content:
    return Content((96, 80), False, "", bytes(32), hash, np.full((16, 16, 3), level, np.uint8))


def test_likeness_is_both_hash_and_colour() -> None:
    six, seven = 0b111111, 0b1111111
    assert near_groups([content(0, 100), content(six, 110)]) == [[0, 1]]
    assert near_groups([content(0, 100), content(six, 111)]) == []
    assert near_groups([content(0, 100), content(seven, 100)]) == []
    assert near_groups([]) == []


def test_images_all_alike_are_one_group() -> None:
    assert near_groups([content(0, 7)] * 3000) == [list(range(3000))]


def test_odd_formats_are_said_by_name(tmp_path: Path) -> None:
    save(scene(0).convert("CMYK"), tmp_path / "print.jpg")
    save(scene(1).convert("RGBA"), tmp_path / "glass.png")
    frames = [scene(2), scene(3)]
    save(frames[0], tmp_path / "film.webp", save_all=True, append_images=frames[1:])
    report = json.loads(check(tmp_path, "--json").stdout)
    odd = {Path(each["name"]).name: each["note"] for each in report["findings"]["odd"]}
    assert odd == {
        "print.jpg": "pixels of mode CMYK",
        "glass.png": "transparent",
        "film.webp": "several pictures in one file",
    }
    assert report["usable"] is True


def packed(folder: Path, tar: Path) -> Path:
    with tarfile.open(tar, "w") as shard:
        shard.add(folder, arcname="")
    return tar


def test_tar_and_folder_are_alike(good: Path, tmp_path: Path) -> None:
    save(scene(0), good / "a" / "copy.png")
    tar = packed(good, tmp_path / "set.tar")
    of_folder, of_tar = (json.loads(check(source, "--json").stdout) for source in (good, tar))
    assert [each["name"] for each in of_tar["findings"]["duplicates"]] == [f"{tar}:a/copy.png"]
    for report in (of_folder, of_tar):
        del report["findings"]
    assert of_folder == of_tar


def test_tar_that_ends_early_has_unreadable_images(good: Path, tmp_path: Path) -> None:
    tar = packed(good, tmp_path / "set.tar")
    tar.write_bytes(tar.read_bytes()[: list_images([tar]).images[-1].offset + 100])
    assert check(tar).exit_code == 1
    compressed = tmp_path / "set.tar.gz"
    with tarfile.open(compressed, "w:gz") as shard:
        shard.add(good)
    result = check(compressed)
    assert result.exit_code == 1
    assert "not an uncompressed tar file" in result.stderr


def test_same_images_are_checked_and_trained_on(good: Path, tmp_path: Path) -> None:
    for name in ("._0.png", "a/.hidden.jpg", "notes.txt", "sub/deep/9.JPEG", "moving.gif"):
        (good / name).parent.mkdir(parents=True, exist_ok=True)
        (good / name).write_bytes(b"x")
    tar = packed(good, tmp_path / "set.tar")
    trained = open_source([good, tar])
    assert [trained.name(index) for index in range(len(trained))] == [
        each.name for each in list_images([good, tar]).images
    ]


def test_looks_come_in_order_whatever_the_jobs(good: Path) -> None:
    images = list_images([good]).images
    assert [each.image for each in look_at(images, 3)] == images


def test_decoder_that_runs_out_of_memory_costs_one_image(good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: ListedImage) -> bytes:
        raise MemoryError

    monkeypatch.setattr(ListedImage, "encoded", fail)
    assert look(list_images([good]).images[0]).error == "not enough memory"


def test_every_kind_can_be_listed() -> None:
    assert get_args(FindingKind) == tuple(KINDS)


def test_paths_are_printed_as_they_are_and_names_cannot_break_the_report(good: Path) -> None:
    strange = os.fsencode(good) + b"/new\nline \xff.png"
    Path(os.fsdecode(strange)).write_bytes(b"no image")
    words = [sys.executable, str(CHECKOUT / "main.py"), "data", "check", str(good)]
    done = subprocess.run([*words, "--list", "unreadable"], capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (1, strange + b"\n", b"")
    report = subprocess.run(words, capture_output=True, text=True)
    assert (report.returncode, report.stderr) == (1, "")
    assert r"new\nline \udcff.png" in report.stdout
    assert json.loads(subprocess.run([*words, "--json"], capture_output=True, text=True).stdout)["images"] == 6
