"""A folder that a new run is to have: what of an earlier one it may take the place of, and what not."""

from pathlib import Path

import pytest

from img2img.errors import RunError
from img2img.runs.run_folder import RunFolder


@pytest.mark.parametrize("kept", ["best.pt", "exported/run.onnx"])
def test_what_an_earlier_run_is_still_good_for_is_not_deleted(kept: str, tmp_path: Path) -> None:
    for name in ("stats.jsonl", "directions.json", "exported/made-of.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    RunFolder(tmp_path).refuse_another_run()
    (tmp_path / kept).touch()
    with pytest.raises(RunError, match=f"{kept}: an earlier run's, which a new one would delete; move it, or give"):
        RunFolder(tmp_path).refuse_another_run()
