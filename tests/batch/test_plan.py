"""batch/plan.py: what becomes what, and what is refused before anything is written."""

import os
import unicodedata
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

import pytest
from conftest import MakeFiles
from hypothesis import given, settings
from hypothesis import strategies as st

from img2img.batch.job import STREAM, Job
from img2img.batch.journal.journal import Journal
from img2img.batch.outcome import Outcome
from img2img.batch.plan import plan_folder, plan_single, target_in
from img2img.batch.sources.listing import list_photos
from img2img.errors import UsageError


def planned(
    *inputs: str, output: str | None = None, word: str = "colorized", format: str = "same", recursive: bool = True
) -> tuple[list[Job], list[Outcome]]:
    """The jobs, in the order of their sources, and the inputs that are none, as the command line finds them."""
    single = plan_single(inputs, output, word=word, format=format)
    if single is not None:
        return ([single], []) if isinstance(single, Job) else ([], [single])
    folder = plan_folder(inputs, output)
    with TemporaryDirectory() as elsewhere, Journal.open(Path(elsewhere, "journal"), root=folder) as journal:
        journal.register(list_photos(inputs, recursive=recursive), target_in(folder, format), settings={})
        jobs = [job for job in journal.due() if isinstance(job, Job)]
        return sorted(jobs, key=lambda job: str(job.source)), list(journal.failures())


def pairs(*inputs: str, output: str | None = None, **options: str | bool) -> dict[str, str]:
    jobs, failures = planned(*inputs, output=output, **options)  # type: ignore[arg-type]
    assert not failures
    return {job.source.as_posix(): job.target.as_posix() for job in jobs}


def test_one_photo_lands_beside_itself(files: MakeFiles) -> None:
    files("in/photo.jpg")
    assert pairs("in/photo.jpg") == {"in/photo.jpg": "in/photo.colorized.jpg"}
    assert pairs("in/photo.jpg", word="monet") == {"in/photo.jpg": "in/photo.monet.jpg"}


def test_output_names_the_file_of_one_photo(files: MakeFiles) -> None:
    files("photo.jpg")
    assert pairs("photo.jpg", output="name.png") == {"photo.jpg": "name.png"}
    assert pairs("photo.jpg", output="new/name.PNG", format="png") == {"photo.jpg": "new/name.PNG"}
    assert pairs("photo.jpg", output="name.jpeg", format="jpg") == {"photo.jpg": "name.jpeg"}


@pytest.mark.parametrize("output", ["new/", "there", "there/"])
def test_output_folder_takes_one_photo_under_its_own_name(files: MakeFiles, output: str) -> None:
    files("in/photo.jpg", "there/other")
    assert pairs("in/photo.jpg", output=output) == {"in/photo.jpg": f"{output.rstrip('/')}/photo.jpg"}


@pytest.mark.parametrize(
    ("source", "format", "target"),
    [
        ("a.jpg", "same", "a.jpg"),
        ("a.JPEG", "same", "a.JPEG"),
        ("a.gif", "same", "a.png"),
        ("a.tif", "png", "a.png"),
        ("a.tif", "tiff", "a.tiff"),
        ("a.old.png", "jpg", "a.old.jpg"),
        ("a.jpg", "webp", "a.webp"),
    ],
)
def test_suffix_follows_the_format(files: MakeFiles, source: str, format: str, target: str) -> None:
    files(source)
    assert pairs(source, output="out/", format=format) == {source: f"out/{target}"}


def test_folder_keeps_its_tree(files: MakeFiles) -> None:
    files("in/b.jpg", "in/a/b.jpg", "in/a/deep/c.tif")
    assert pairs("in", output="out") == {
        "in/b.jpg": "out/b.jpg",
        "in/a/b.jpg": "out/a/b.jpg",
        "in/a/deep/c.tif": "out/a/deep/c.tif",
    }


def test_no_recursive_leaves_sub_folders_out(files: MakeFiles) -> None:
    files("in/b.jpg", "in/a/b.jpg")
    assert pairs("in", output="out", recursive=False) == {"in/b.jpg": "out/b.jpg"}


def test_several_inputs_go_into_one_folder(files: MakeFiles) -> None:
    files("x/a.jpg", "y/b.jpg", "in/c/d.jpg")
    expected = {"x/a.jpg": "out/a.jpg", "y/b.jpg": "out/b.jpg", "in/c/d.jpg": "out/c/d.jpg"}
    assert pairs("x/a.jpg", "y/b.jpg", "in", output="out") == expected


def test_folder_gives_only_photos_that_are_not_hidden(files: MakeFiles) -> None:
    files("in/a.jpg", "in/notes.txt", "in/.a.jpg", "in/.trash/b.jpg", "in/noext", "in/c.jpg.part")
    assert pairs("in", output="out") == {"in/a.jpg": "out/a.jpg"}


def test_same_input_twice_is_one_job(files: MakeFiles) -> None:
    files("in/a.jpg")
    assert pairs("in", "./in/a.jpg", "in/", output="out") == {"in/a.jpg": "out/a.jpg"}


def test_missing_input_is_a_failure_and_the_others_stay(files: MakeFiles) -> None:
    files("a.jpg")
    jobs, failures = planned("a.jpg", "gone.jpg", output="out")
    assert jobs == [Job(Path("a.jpg"), Path("out/a.jpg"))]
    assert [str(each.source) for each in failures] == ["gone.jpg"]
    assert "gone.jpg: no such file" in str(failures[0].error)


def test_single_missing_input_is_a_failure(files: MakeFiles) -> None:
    files()
    jobs, failures = planned("gone.jpg")
    assert not jobs
    assert len(failures) == 1


def test_folder_without_photos_is_a_failure(files: MakeFiles) -> None:
    files("in/notes.txt")
    _, (failed,) = planned("in", output="out")
    assert "in: no photos" in str(failed.error)


def test_unreadable_folder_is_a_failure_and_the_rest_is_done(files: MakeFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    files("in/a.jpg", "in/locked/b.jpg")
    scandir = os.scandir

    def deny(path: str | int) -> object:
        if not isinstance(path, int) and Path(path).name == "locked":
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", deny)
    jobs, (failed,) = planned("in", output="out")
    assert [str(job.source) for job in jobs] == ["in/a.jpg"]
    assert failed.source == Path("in/locked")
    assert "in/locked: the folder cannot be read: no permission" in str(failed.error)


def test_links_to_folders_cannot_loop(files: MakeFiles) -> None:
    files("in/a.jpg")
    Path("in/loop").symlink_to(Path("in").resolve(), target_is_directory=True)
    Path("in/self.jpg").symlink_to("self.jpg")
    jobs, (failed,) = planned("in", output="out")
    assert [str(job.source) for job in jobs] == ["in/a.jpg"]
    assert "in/self.jpg: its links lead in a circle" in str(failed.error)
    assert planned("in/self.jpg")[0] == []


def refusal(*inputs: str, output: str | None = None, format: str = "same") -> str:
    before = sorted(Path().rglob("*"))
    with pytest.raises(UsageError) as refused:
        planned(*inputs, output=output, format=format)
    assert sorted(Path().rglob("*")) == before
    return str(refused.value)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("in/a.jpg", "in/A.jpg"),
        ("in/A.JPG", "in/a.jpg"),
        ("in/a.gif", "in/a.png"),
        ("in/x/a.jpg", "in/X/a.jpg"),
        ("in/straße.jpg", "in/STRASSE.jpg"),
        (unicodedata.normalize("NFC", "in/é.jpg"), unicodedata.normalize("NFD", "in/é.jpg")),
    ],
)
def test_two_photos_that_would_become_one_file_fail_by_name(files: MakeFiles, first: str, second: str) -> None:
    files(first, second, "in/other.jpg")
    if len(list(Path("in").rglob("*.*"))) < 3:
        pytest.skip("this file system takes the two names for one file")
    jobs, failures = planned("in", output="out")
    assert [job.source.as_posix() for job in jobs] == ["in/other.jpg"]
    assert {each.source.as_posix() for each in failures} == {first, second}
    assert all(first in str(each.error) and second in str(each.error) for each in failures)


def test_same_name_from_two_folders_fails_by_name(files: MakeFiles) -> None:
    files("x/a.jpg", "y/a.jpg", "y/b.jpg")
    jobs, failures = planned("x/a.jpg", "y", output="out")
    assert [job.source.as_posix() for job in jobs] == ["y/b.jpg"]
    assert all("x/a.jpg and y/a.jpg would both become out/a.jpg" in str(each.error) for each in failures)
    assert len(failures) == 2


@pytest.mark.parametrize("output", ["in/out", "in", "in/", "./in/../in/deep/er", "link/out"])
def test_output_folder_inside_an_input_folder_is_refused(files: MakeFiles, output: str) -> None:
    files("in/a.jpg")
    Path("link").symlink_to("in", target_is_directory=True)
    message = refusal("in", output=output)
    assert "inside the input folder in" in message
    assert str(Path(output)) in message


@pytest.mark.parametrize(
    ("inputs", "output"),
    [
        (["a.jpg"], "a.jpg"),
        (["a.jpg"], "A.jpg"),
        (["a.jpg"], "."),
        (["x/a.jpg", "y/b.jpg"], "y"),
        (["link.jpg"], "a.jpg"),
    ],
)
def test_result_that_would_overwrite_an_input_is_refused(files: MakeFiles, inputs: list[str], output: str) -> None:
    files("a.jpg", "x/a.jpg", "y/b.jpg")
    Path("link.jpg").symlink_to("a.jpg")
    assert "would overwrite the input" in refusal(*inputs, output=output)


@pytest.mark.parametrize(
    ("inputs", "output", "format", "says"),
    [
        (["in"], None, "same", "needs -o"),
        (["a.jpg", "b.jpg"], None, "same", "needs -o"),
        (["a.jpg", "b.jpg"], "file.txt", "same", "is a file"),
        (["a.jpg", "b.jpg"], "new.jpg", "same", "name a folder"),
        (["a.jpg"], "name", "same", "with / for a folder"),
        (["a.jpg"], "name.doc", "same", "with / for a folder"),
        (["a.jpg"], "name.png", "jpg", "contradict"),
        (["-", "a.jpg"], "out", "same", "one INPUT"),
        (["a.jpg", "b.jpg"], "-", "same", "one INPUT"),
        (["in"], "-", "same", "in is a folder"),
        (["in", "p.zip"], "./p.zip", "same", "is an input, too"),
        (["-"], "in", "same", "name the file"),
        (["-"], "new/", "same", "name the file"),
        (["in"], "new.tar.gz", "same", "can be packed as .zip"),
    ],
)
def test_words_that_contradict_each_other_are_refused(
    files: MakeFiles, inputs: list[str], output: str | None, format: str, says: str
) -> None:
    files("in/a.jpg", "a.jpg", "b.jpg", "file.txt", "p.zip")
    assert says in refusal(*inputs, output=output, format=format)


@pytest.mark.parametrize(
    ("inputs", "output", "says"),
    [(["in"], "", "-o is empty"), (["in", ""], "out", "an INPUT is empty"), (["in"], "-", "takes one photo")],
)
def test_words_that_name_no_folder_are_refused_for_many_photos(
    files: MakeFiles, inputs: list[str], output: str, says: str
) -> None:
    files("in/a.jpg")
    with pytest.raises(UsageError, match=says):
        plan_folder(inputs, output)


@pytest.mark.parametrize(
    ("pattern", "output", "refused"),
    [
        ("in/*", "in/out", True),
        ("in/**", "in/out", True),
        ("in/**/*.jpg", "in/out", True),
        ("in/*/*.jpg", "in/out", True),
        ("in/*/*.jpg", "in/out/deep", False),
        ("in/*", "in/out/deep", True),
        ("in/*.jpg", "in/out", False),
        ("in/o*/*", "in/out", True),
        ("in/s*/*", "in/out", False),
        ("in/**/*.jpg", "out", False),
        ("*/*.jpg", "in", True),
    ],
)
def test_output_folder_is_refused_where_a_pattern_would_find_its_results(
    files: MakeFiles, pattern: str, output: str, refused: bool
) -> None:
    files("in/a.jpg")
    if refused:
        with pytest.raises(UsageError, match="inside the input pattern"):
            plan_folder([pattern], output)
    else:
        assert plan_folder([pattern], output) == Path(output)


@pytest.mark.parametrize("output", ["new.tar/", "there.tar"])
def test_folder_may_be_called_like_an_archive(files: MakeFiles, output: str) -> None:
    files("in/a.jpg", "there.tar/a.txt")
    assert plan_folder(["in"], output) == Path(output)


def test_dash_is_standard_input_and_output(files: MakeFiles) -> None:
    files("a.jpg", "-")
    assert planned("-")[0] == planned("-", output="-")[0] == [Job(STREAM, STREAM)]
    assert planned("a.jpg", output="-")[0] == [Job(Path("a.jpg"), STREAM)]
    assert planned("-", output="name.png")[0] == [Job(STREAM, Path("name.png"))]
    assert planned("./-", output="out/")[0][0].source is not STREAM


names = st.text(alphabet="aAbBéÉß1. ", min_size=1, max_size=4).filter(lambda name: name.strip(". "))
suffixes = st.sampled_from([".jpg", ".JPG", ".jpeg", ".png", ".gif", ".tif", ".webp"])
trees = st.sets(
    st.builds(
        lambda folders, name, suffix: "/".join([*folders, name + suffix]),
        st.lists(names, max_size=2),
        names,
        suffixes,
    ),
    min_size=1,
    max_size=8,
)


def _make_tree(root: Path, tree: set[str]) -> None:
    for name in sorted(tree):
        try:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).touch()
        except OSError:  # a file where this path needs a folder
            continue


@settings(deadline=None, max_examples=30)
@given(trees, st.sampled_from(["same", "jpg", "png", "webp", "tiff"]))
def test_no_two_jobs_share_a_target_and_the_tree_is_kept(tree: set[str], format: str) -> None:
    with TemporaryDirectory() as folder:
        source, output = Path(folder, "in"), Path(folder, "out")
        _make_tree(source, tree)
        jobs, failures = planned(str(source), output=str(output), format=format)
    assert all("would both become" in str(each.error) or "no photos" in str(each.error) for each in failures)
    folded = {unicodedata.normalize("NFC", str(job.target).casefold()) for job in jobs}
    assert len(folded) == len(jobs)
    for job in jobs:
        inside, result = job.source.relative_to(source), job.target.relative_to(output)
        assert PurePosixPath(inside).parent == PurePosixPath(result).parent
        assert inside.stem == result.stem


def test_name_that_no_file_can_have_is_a_failure() -> None:
    failed = plan_single(["a\0b.jpg"], None)
    assert isinstance(failed, Outcome)
    assert failed.error is not None
    assert "embedded null byte" in failed.error
