"""Where a model runs: one value from a command's options to the runtime."""

from __future__ import annotations

from dataclasses import dataclass

from img2img.inference.runtimes.runtime import Runtime


@dataclass(frozen=True)
class Execution:
    """`device`: "auto", "cpu" or "cuda". `threads`: the cores that one photo may take, 0 all.

    `runtime`: "auto", "onnxruntime", "openvino", or an open one.
    """

    device: str = "auto"
    threads: int = 0
    runtime: Runtime | str = "auto"
