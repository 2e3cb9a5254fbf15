"""What the documents tell a person to type, and how it is made short enough for a test."""

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from tiny_run import TINY
from typer.testing import CliRunner

from img2img.cli.app import app

CHECKOUT = Path(__file__).resolve().parent.parent
DOCUMENTS = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").rglob("*.md"))]
NOT_HERE = ("pip ", "python benchmarks/", "data download", "img2img serve", "torchrun", "s3://")
"""What a line has that installs or measures, that needs a network or a cluster, or that goes on until it is stopped."""
_FOR_A_SHELL = re.compile(r"[|<>*?$;&~]|^(?!img2img )")


def blocks(document: Path) -> list[str]:
    """Its shell blocks, as they stand."""
    return re.findall(r"```sh\n(.*?)```", document.read_text(encoding="utf-8"), re.DOTALL)


def lines(document: Path) -> list[str]:
    """What it has a person type, comments left out; a block with a program in it is one piece."""
    typed = []
    for block in blocks(document):
        pieces = [block] if "<<" in block else block.splitlines()
        typed += [piece if "<<" in piece else re.split(r"\s# ", piece)[0].strip() for piece in pieces]
    return [line for line in typed if line]


def commands(document: Path) -> list[str]:
    """Of these the img2img commands, what is piped into them left out."""
    words = [line.split(" | ")[-1].strip() for line in lines(document)]
    return [line for line in words if line.startswith("img2img ")]


def short(line: str, turn: int) -> str:
    """The same with a training of two steps in a folder of its own, and nothing that waits or lies at the root."""
    line = line.replace("/mnt/", "mnt/").replace("~/", "home/").replace(" --watch", "")
    if line.startswith(("img2img export ", "img2img import ")):
        return line + " --overwrite"  # a tiny model may stand there already, for the lines of other blocks
    if not line.startswith("img2img train ") or "--list-settings" in line:
        return line
    line = re.sub(r" --(steps|preset) \S+", "", line)
    if "--resume" in line:
        return line
    recipe = line.split()[2]
    given = "".join(re.findall(r" --set (?:adversarial|condition|discriminator_lr|r1|upsampling)=\S+", line))
    given += " --set image_size=32 --set image_channels=3" if "condition=embedding" in given else ""
    out = "" if "--out" in line else f" --out runs/{recipe if turn == 0 else turn}"
    settings = " ".join(f"--set {setting}" for setting in TINY[recipe])
    return f"{re.sub(r' --set [^ ]+', '', line)} {settings}{given} --steps 2 --device cpu{out}"


@dataclass(frozen=True)
class Typist:
    """Types lines in a folder: simple ones in this process, what asks something of a shell in one."""

    folder: Path
    patch: pytest.MonkeyPatch

    def type(self, line: str) -> str:
        self.patch.chdir(self.folder)
        return self._in_a_shell(line) if _FOR_A_SHELL.search(line) else self._here(line)

    def _here(self, line: str) -> str:
        result = CliRunner().invoke(app, shlex.split(line)[1:])
        assert result.exit_code == 0, f"{line}: {result.output}{result.exception!r}"
        return result.output

    def _in_a_shell(self, text: str) -> str:
        programs = self.folder / ".programs"
        programs.mkdir(exist_ok=True)
        for name, start in (("img2img", f"{sys.executable} {CHECKOUT / 'main.py'}"), ("python", sys.executable)):
            (programs / name).write_text(f'#!/bin/sh\nexec {start} "$@"\n')
            (programs / name).chmod(0o755)
        environment = os.environ | {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
        done = subprocess.run(
            ["sh", "-e", "-c", text], cwd=self.folder, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{text}: {done.stdout}{done.stderr}"
        return done.stdout
