"""Which tensors a generator of a known make has, under which names and in which shapes; and whether a file has them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from torch import Tensor, nn

from img2img.networks.blocks import Norm

Shape = tuple[int, ...]
NormKind = Literal["instance", "batch", "none"]
STATISTICS = ("running_mean", "running_var")
PICTURES = (1, 3)
"""How many channels a picture may have: grey or RGB."""


class UnlikeLayout(Exception):
    """What was found and what was expected, in one line without the file's name."""


@dataclass(frozen=True)
class Layer:
    """A convolution and the norm behind it, by the names that a checkpoint has for them."""

    conv: str
    shape: Shape
    norm: str = ""
    """Nothing where no norm follows."""
    transposed: bool = False
    last: bool = False
    """The authors' last convolution always has a bias; others have one before instance norms only."""

    @property
    def channels(self) -> int:
        """Those that come out."""
        return self.shape[1 if self.transposed else 0]


@dataclass(frozen=True)
class GeneratorLayout:
    """A generator as its file has it.

    `layers` stand in the order of the convolutions of the network that `build` makes. `filters` are the
    fixed ones of antialiasing. A tile sees all it needs with `reach` pixels around it.
    """

    name: str
    settings: Mapping[str, Any]
    norm: NormKind
    layers: tuple[Layer, ...]
    filters: Mapping[str, Tensor]
    build: Callable[[Norm], nn.Module]
    size_multiple: int
    native_size: int
    reach: int

    @property
    def input_channels(self) -> int:
        return self.layers[0].shape[1]

    @property
    def output_channels(self) -> int:
        return self.layers[-1].channels

    @cached_property
    def expected(self) -> dict[str, Shape]:
        """Every tensor that the file must have."""
        shapes: dict[str, Shape] = {name: tuple(one.shape) for name, one in self.filters.items()}
        for layer in self.layers:
            shapes[f"{layer.conv}.weight"] = layer.shape
            if layer.last or self.norm == "instance":
                shapes[f"{layer.conv}.bias"] = (layer.channels,)
            if layer.norm and self.norm == "batch":
                shapes |= {f"{layer.norm}.{part}": (layer.channels,) for part in ("weight", "bias", *STATISTICS)}
        return shapes

    def check(self, tensors: Mapping[str, Tensor]) -> None:
        """Raises UnlikeLayout unless the tensors are the expected ones, each of its shape.

        Statistics of instance norms, which old versions kept, may be there.
        """
        faults = [*self._unlike(tensors)]
        if faults:
            more = f" ({len(faults) - 3} more)" if len(faults) > 3 else ""
            raise UnlikeLayout(f"looks like a {self.name}, but {'; '.join(faults[:3])}{more}")
        if not {self.input_channels, self.output_channels} <= {*PICTURES}:
            raise UnlikeLayout(
                f"a {self.name} from {self.input_channels} to {self.output_channels} channels; expected 1 (grey) or 3 "
                "(RGB), as photos have"
            )

    def _unlike(self, tensors: Mapping[str, Tensor]) -> Iterator[str]:
        allowed = {f"{layer.norm}.{part}" for layer in self.layers if layer.norm for part in STATISTICS}
        for name, shape in self.expected.items():
            if name not in tensors:
                yield f"{name} ({_text(shape)}) is missing"
            elif tuple(tensors[name].shape) != shape:
                yield f"{name} is {_text(tensors[name].shape)}, expected {_text(shape)}"
            elif name in self.filters and not tensors[name].allclose(self.filters[name], atol=1e-3):
                yield f"{name} is another filter than the authors'"
        for name, one in tensors.items():
            if name not in self.expected and name not in allowed:
                yield f"{name:.80} ({_text(one.shape)}) has no place in it"


def norm_kind(tensors: Mapping[str, Tensor], first_norm: str, first_conv: str) -> NormKind:
    """Batch norms have weights; instance norms have none, and convolutions before them have biases."""
    if f"{first_norm}.weight" in tensors:
        return "batch"
    return "instance" if f"{first_conv}.bias" in tensors else "none"


def kernel_shape(tensors: Mapping[str, Tensor], conv: str, expected: str) -> Shape:
    """Of the weight of a convolution; UnlikeLayout, with what was `expected`, where there is none."""
    weight = tensors.get(f"{conv}.weight")
    if weight is None or weight.ndim != 4 or not weight.numel():
        found = "missing" if weight is None else _text(weight.shape)
        raise UnlikeLayout(f"{conv}.weight is {found}, expected {expected}")
    return tuple(weight.shape)


def _text(shape: Shape) -> str:
    return " x ".join(map(str, shape)) or "a single number"
