"""A run's folder: what was asked for, the record of how it went, previews, states and weights."""

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from img2img.atomic_file import check_stays_inside, reason_for, write_at_once
from img2img.errors import RunError
from img2img.runs.run_info import CONFIG, STOPPED, RunInfo, read_info, read_outline
from img2img.runs.run_records import RunRecords, read_records
from img2img.saved_states import best_file, exported_folder, state_files, state_step, unfinished_states
from img2img.version import __version__


class RunFolder:
    """The files of one training run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stats = path / "stats.jsonl"
        self._health = path / "health.jsonl"
        self._quality = path / "quality.jsonl"

    def refuse_another_run(self) -> None:
        """Raises RunError when the folder has a run with a state, what only a state can give back, or others' files.

        A run that ended before its first state is replaced.
        """
        if state_files(self.path):
            raise RunError(f"{self.path}: holds a run already; add --resume to go on, or give another --out")
        for kept in (best_file(self.path), *exported_folder(self.path).glob("*.onnx")):
            if kept.is_file():
                raise RunError(
                    f"{kept}: an earlier run's, which a new one would delete; move it, or give another --out"
                )
        for record in (self.path / CONFIG, self._stats, self._health, self._quality):
            if record.is_file() and not self._holds_a_run():
                raise RunError(f"{record}: is there already, and is no run's; give another --out")

    def _holds_a_run(self) -> bool:
        try:
            read_outline(self.path)
        except RunError:
            return False
        return True

    def create(self, info: RunInfo) -> None:
        """Make the folder; raises RunError when it cannot be made, or a link in it leads out of it."""
        self._check_links()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            files = (self._stats, self._health, self._quality, best_file(self.path), *unfinished_states(self.path))
            for of_the_run_before in files:
                of_the_run_before.unlink(missing_ok=True)
            (self.path / "directions.json").unlink(missing_ok=True)
            for exported in exported_folder(self.path).glob("*.*"):
                exported.unlink()
            self.write_info(info)
        except OSError as error:
            raise RunError(f"{self.path}: cannot be a run's folder: {reason_for(error, 'written')}") from error

    def write_info(self, info: RunInfo) -> None:
        write_at_once(self.path / CONFIG, json.dumps(asdict(info), indent=2).encode())

    def read_info(self) -> RunInfo:
        """Raises RunError when there is no run."""
        return read_info(self.path)

    def note_stopped(self, stopped: bool) -> None:
        """That the run was stopped before its last step, or that it goes on."""
        if stopped:
            (self.path / STOPPED).touch()
        else:
            (self.path / STOPPED).unlink(missing_ok=True)

    def append_stats(self, record: Mapping[str, float]) -> None:
        _append(self._stats, record)

    def append_health(self, record: Mapping[str, Any]) -> None:
        _append(self._health, record)

    def append_quality(self, record: Mapping[str, Any]) -> None:
        _append(self._quality, record)

    def forget_after(self, step: int) -> None:
        """Drop records and states of steps that a resumed run is about to do again, and states that are not whole.

        Raises RunError where a link in the folder leads out of it.
        """
        self._check_links()
        later = [state for state in state_files(self.path) if state_step(state) > step]  # which could not be read
        for state in (*later, *unfinished_states(self.path)):
            state.unlink(missing_ok=True)
        for path in (self._stats, self._health, self._quality):
            kept = [record for record in read_records(path) if record["step"] <= step]
            write_at_once(path, "".join(json.dumps(record) + "\n" for record in kept).encode())

    def stats(self) -> list[dict[str, float]]:
        """The figures recorded on the way."""
        return read_records(self._stats)

    def health(self) -> list[dict[str, Any]]:
        """The health checks."""
        return read_records(self._health)

    def quality(self) -> list[dict[str, Any]]:
        """What was measured on held-out images; the first record has under "reference" what it lies between."""
        return read_records(self._quality)

    def seconds(self) -> float:
        """How long the recorded steps took, over all sessions."""
        return RunRecords(self.path).seconds

    def _check_links(self) -> None:
        for folder in (self.path / "previews", self.path / "tensorboard", exported_folder(self.path)):
            check_stays_inside(folder, self.path, error=RunError)

    def preview_path(self, step: int) -> Path:
        folder = self.path / "previews"
        folder.mkdir(exist_ok=True)
        return folder / f"{step:08d}.png"


def _append(path: Path, record: Mapping[str, Any]) -> None:
    with path.open("a") as file:
        file.write(json.dumps(record) + "\n")


def versions() -> dict[str, str]:
    """What the run's numbers depend on."""
    import torch

    return {"img2img": __version__, "torch": torch.__version__, "python": sys.version.split()[0]}
