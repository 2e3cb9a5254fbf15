"""Checkpoints as other frameworks write them: their names and shapes written out, and what they compute, by name.

The reference forwards are made of torch.nn.functional and the tensors' names alone: nothing of img2img is in them.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

Tensors = dict[str, Tensor]


class Drawn:
    """Random tensors by name: kernels that keep about the spread of what goes through them."""

    def __init__(self, norm: str, seed: int = 0) -> None:
        self.norm, self.tensors = norm, Tensors()
        self._generator = torch.Generator().manual_seed(seed)

    def conv(self, name: str, *shape: int, norm: str = "", bias: bool | None = None, transposed: bool = False) -> None:
        fan_in = shape[0] * 4 if transposed else shape[1] * shape[2] * shape[3]
        self.tensors[f"{name}.weight"] = self._normal(*shape) * (1.5 / fan_in**0.5)
        channels = shape[1 if transposed else 0]
        if self.norm == "instance" if bias is None else bias:
            self.tensors[f"{name}.bias"] = self._normal(channels) * 0.2
        if norm and self.norm == "batch":
            self.tensors[f"{norm}.weight"] = 1 + 0.3 * self._normal(channels)
            self.tensors[f"{norm}.bias"] = 0.3 * self._normal(channels)
            self.tensors[f"{norm}.running_mean"] = 0.3 * self._normal(channels)
            self.tensors[f"{norm}.running_var"] = 0.5 + torch.rand(channels, generator=self._generator)
            self.tensors[f"{norm}.num_batches_tracked"] = torch.tensor(7)

    def _normal(self, *shape: int) -> Tensor:
        return torch.randn(*shape, generator=self._generator)


def blur(channels: int, *weights: float) -> Tensor:
    """A "filt" buffer of CUT: weights by themselves, and again for each channel."""
    line = torch.tensor(weights)
    return (line[:, None] * line[None]).repeat(channels, 1, 1, 1)


def places(blocks: int, down: str, up: str) -> tuple[list[int], int, list[int], int]:
    """Of "model.N": three convolutions, the first block, two convolutions up, the last."""
    n = blocks
    return {
        ("strided", "transposed"): ([1, 4, 7], 10, [10 + n, 13 + n], 17 + n),
        ("blurred", "bilinear"): ([1, 4, 8], 12, [13 + n, 17 + n], 21 + n),
        ("strided", "bilinear"): ([1, 4, 7], 10, [11 + n, 15 + n], 19 + n),
        ("blurred", "transposed"): ([1, 4, 8], 12, [12 + n, 15 + n], 19 + n),
    }[down, up]


def resnet(
    blocks: int = 2,
    norm: str = "instance",
    *,
    down: str = "strided",
    up: str = "transposed",
    dropout: bool = False,
    channels: int = 4,
    ends: tuple[int, int] = (3, 3),
) -> Tensors:
    """ngf is `channels`; `ends` are the channels of the pictures."""
    drawn, c = Drawn(norm), channels
    (first, half, quarter), block, (double, whole), last = places(blocks, down, up)
    drawn.conv(f"model.{first}", c, ends[0], 7, 7, norm=f"model.{first + 1}")
    drawn.conv(f"model.{half}", 2 * c, c, 3, 3, norm=f"model.{half + 1}")
    drawn.conv(f"model.{quarter}", 4 * c, 2 * c, 3, 3, norm=f"model.{quarter + 1}")
    for name in (f"model.{number}.conv_block" for number in range(block, block + blocks)):
        for conv in (1, 6) if dropout else (1, 5):
            drawn.conv(f"{name}.{conv}", 4 * c, 4 * c, 3, 3, norm=f"{name}.{conv + 1}")
    for place, inputs in ((double, 4 * c), (whole, 2 * c)):
        shape = (inputs, inputs // 2) if up == "transposed" else (inputs // 2, inputs)
        drawn.conv(f"model.{place}", *shape, 3, 3, norm=f"model.{place + 1}", transposed=up == "transposed")
    drawn.conv(f"model.{last}", ends[1], c, 7, 7, bias=True)
    if down == "blurred":
        drawn.tensors["model.7.filt"] = blur(2 * c, 0.25, 0.5, 0.25)
        drawn.tensors["model.11.filt"] = blur(4 * c, 0.25, 0.5, 0.25)
    if up == "bilinear":
        drawn.tensors[f"model.{double - 1}.filt"] = blur(4 * c, 0.25, 0.75, 0.75, 0.25)
        drawn.tensors[f"model.{whole - 1}.filt"] = blur(2 * c, 0.25, 0.75, 0.75, 0.25)
    return drawn.tensors


def unet(
    levels: int = 8, norm: str = "batch", *, channels: int = 2, ends: tuple[int, int] = (3, 3), seed: int = 0
) -> Tensors:
    """ngf is `channels`; the widths stop at eight times that."""
    drawn = Drawn(norm, seed)
    widths = [channels * factor for factor in (1, 2, 4, *[8] * (levels - 3))]
    drawn.conv("model.model.0", widths[0], ends[0], 4, 4)
    for level, name in inner_levels(levels):
        inner, outer = widths[level], widths[level - 1]
        innermost = level == levels - 1
        drawn.conv(f"{name}.1", inner, outer, 4, 4, norm="" if innermost else f"{name}.2")
        up = 3 if innermost else 5
        inputs = inner if innermost else 2 * inner
        drawn.conv(f"{name}.{up}", inputs, outer, 4, 4, norm=f"{name}.{up + 1}", transposed=True)
    drawn.conv("model.model.3", 2 * widths[0], ends[1], 4, 4, bias=True, transposed=True)
    return drawn.tensors


def inner_levels(levels: int) -> Iterator[tuple[int, str]]:
    name = "model.model.1.model"
    for level in range(1, levels):
        yield level, name
        name += ".3.model"


def norms(tensors: Tensors, running: bool) -> Callable[[str, Tensor], Tensor]:
    """The norm of that name as the authors' test applies it: with the one picture's statistics, unless `running`."""

    def apply(name: str, x: Tensor) -> Tensor:
        if f"{name}.weight" not in tensors:
            return F.instance_norm(x)
        parts = (tensors[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias"))
        mean, variance, weight, bias = (part.clone() for part in parts)
        return F.batch_norm(x, mean, variance, weight, bias, training=not running)

    return apply


def resnet_forward(
    tensors: Tensors,
    x: Tensor,
    blocks: int = 2,
    *,
    down: str = "strided",
    up: str = "transposed",
    dropout: bool = False,
    running: bool = False,
    normless: bool = False,
) -> Tensor:
    t, norm = tensors, (lambda _, x: x) if normless else norms(tensors, running)
    (first, half, quarter), block, (double, whole), last = places(blocks, down, up)

    def kernel(name: str) -> tuple[Tensor, Tensor | None]:
        return t[f"{name}.weight"], t.get(f"{name}.bias")

    x = F.conv2d(F.pad(x, (3, 3, 3, 3), "reflect"), *kernel(f"model.{first}"))
    x = norm(f"model.{first + 1}", x).relu()
    for place in (half, quarter):
        stride = 2 if down == "strided" else 1
        x = F.conv2d(x, *kernel(f"model.{place}"), stride=stride, padding=1)
        x = norm(f"model.{place + 1}", x).relu()
        if down == "blurred":
            around = F.pad(x, (1, 1, 1, 1), "reflect")
            x = F.conv2d(around, t[f"model.{place + 3}.filt"], stride=2, groups=x.shape[1])
    for name in (f"model.{number}.conv_block" for number in range(block, block + blocks)):
        y, second = x, 6 if dropout else 5
        y = F.conv2d(F.pad(y, (1, 1, 1, 1), "reflect"), *kernel(f"{name}.1"))
        y = norm(f"{name}.2", y).relu()
        y = F.conv2d(F.pad(y, (1, 1, 1, 1), "reflect"), *kernel(f"{name}.{second}"))
        x = x + norm(f"{name}.{second + 1}", y)
    for place in (double, whole):
        if up == "transposed":
            x = F.conv_transpose2d(x, *kernel(f"model.{place}"), stride=2, padding=1, output_padding=1)
        else:
            around = F.pad(x, (1, 1, 1, 1), "replicate")
            x = F.conv_transpose2d(around, t[f"model.{place - 1}.filt"], stride=2, padding=2, groups=x.shape[1])
            x = F.conv2d(x[:, :, 1:-1, 1:-1], *kernel(f"model.{place}"), padding=1)
        x = norm(f"model.{place + 1}", x).relu()
    return F.conv2d(F.pad(x, (3, 3, 3, 3), "reflect"), *kernel(f"model.{last}")).tanh()


def unet_forward(tensors: Tensors, x: Tensor, levels: int = 8, *, running: bool = False) -> Tensor:
    t, norm, names = tensors, norms(tensors, running), [name for _, name in inner_levels(levels)]

    def kernel(name: str) -> tuple[Tensor, Tensor | None]:
        return t[f"{name}.weight"], t.get(f"{name}.bias")

    def level(depth: int, x: Tensor) -> Tensor:
        name = names[depth]
        y = F.conv2d(F.leaky_relu(x, 0.2), *kernel(f"{name}.1"), stride=2, padding=1)
        if depth == len(names) - 1:
            y = F.conv_transpose2d(y.relu(), *kernel(f"{name}.3"), stride=2, padding=1)
            return torch.cat([x, norm(f"{name}.4", y)], 1)
        y = level(depth + 1, norm(f"{name}.2", y))
        y = F.conv_transpose2d(y.relu(), *kernel(f"{name}.5"), stride=2, padding=1)
        return torch.cat([x, norm(f"{name}.6", y)], 1)

    y = level(0, F.conv2d(x, *kernel("model.model.0"), stride=2, padding=1))
    return F.conv_transpose2d(y.relu(), *kernel("model.model.3"), stride=2, padding=1).tanh()


def saved(tensors: Tensors, path: Path, *, legacy: bool = False) -> Path:
    torch.save(tensors, path, _use_new_zipfile_serialization=not legacy)
    return path
