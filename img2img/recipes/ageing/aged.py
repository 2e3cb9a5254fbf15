"""From a batch of colour photos to what a colorizer trains on: greys of which half are aged, and the true chroma."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import torch
from torch import Tensor

from img2img.randomness import uniform
from img2img.recipes.ageing import damage, emulsions, textures, tones
from img2img.recipes.photo_lab import encoded_grey, grey_lightness, split

AGED_SHARE = 0.5
"""Of the photos; the others stay clean, as scans of good prints and digital greys are."""


class AgeingKind(NamedTuple):
    """One thing that happens to old photographs."""

    change: Callable[..., Tensor]
    """Greys (N, 1, H, W), strength (N, 1, 1, 1) and keys (N,) to greys, encoded as in sRGB, in [0, 1]. A strength of 0
    changes nothing."""
    probability: float
    """Of an aged photo to have it."""
    strengths: tuple[float, float]
    """Between which a photo's own is drawn."""
    unit: str
    """What a strength of 1 is."""
    of_colour: bool = False
    """`change` takes the scene's colours (N, 3, H, W), encoded likewise, before the rest."""

    def at(self, share: Tensor) -> Tensor:
        """The strength at a share of its range: 0 the least, 1 the most."""
        low, high = self.strengths
        return low + (high - low) * share


FRAME = "frame"
KINDS: Mapping[str, AgeingKind] = MappingProxyType(
    {
        "orthochromatic": AgeingKind(emulsions.orthochromatic, 0.25, (0.6, 1), "of the grey", of_colour=True),
        "blue-sensitive": AgeingKind(emulsions.blue_sensitive, 0.12, (0.6, 1), "of the grey", of_colour=True),
        "overexposed": AgeingKind(tones.overexposed, 0.12, (0.3, 1.3), "stop"),
        "underexposed": AgeingKind(tones.underexposed, 0.12, (0.3, 1.3), "stop"),
        "soft": AgeingKind(textures.soft, 0.25, (0.4, 1.2), "pixel"),
        "grain": AgeingKind(textures.film_grain, 0.35, (0.02, 0.08), "of the range"),
        "faded": AgeingKind(tones.faded, 0.35, (0.2, 0.6), "of the contrast"),
        "uneven": AgeingKind(tones.unevenly_faded, 0.2, (0.15, 0.5), "of the range"),
        "vignette": AgeingKind(tones.vignetted, 0.2, (0.2, 0.7), "of the range"),
        "dust": AgeingKind(damage.dusty, 0.2, (0.1, 0.8), "of 40 specks"),
        "scratches": AgeingKind(damage.scratched, 0.2, (0.3, 0.9), "opaque"),
        "crease": AgeingKind(damage.creased, 0.12, (0.3, 0.9), "opaque"),
        FRAME: AgeingKind(damage.framed, 0.12, (0.04, 0.12), "of the side"),
        "halftone": AgeingKind(textures.halftoned, 0.08, (0.15, 0.5), "of the dots"),
        "jpeg": AgeingKind(textures.blocky, 0.3, (0.6, 2.5), "of quality 50"),
    }
)
"""In the order in which they happen: to the film, to the print, to the page or file that was made of it."""
PLACES = {name: place for place, name in enumerate(KINDS)}


@torch.no_grad()
def aged_split(image: Tensor, key: Tensor, strengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """As `split` with the same keys, but the greys of some photos are aged: by `strengths`, or as drawn from the keys.

    RGB (N, 3, H, W) in [-1, 1] -> L / 50 - 1 (N, 1, H, W) and ab / 110 (N, 2, H, W), which stays the clean photo's but
    for a frame's, which is grey paper. H and W are multiples of 8.
    """
    lightness, ab = split(image, key)
    strengths = drawn_strengths(key) if strengths is None else strengths
    strongest, frame = strengths.amax(1, keepdim=True), strengths[:, PLACES[FRAME], None]
    with torch.autocast(image.device.type, enabled=False):
        lightness = _changed(lightness, strongest, _aged, image.float(), lightness, strengths, key)
        return lightness, _changed(ab, frame, _in_the_picture, ab, frame, key)


def drawn_strengths(key: Tensor) -> Tensor:
    """(N, kinds, 1, 1): all 0 for half of the photos; of the others most have two to four kinds."""
    old = uniform(key, (1, 1, 1), "aged") < AGED_SHARE
    shares = uniform(key, (2, len(KINDS), 1, 1), "ageing")
    whether, how_much = (part.chunk(len(KINDS), 1) for part in shares.unbind(1))
    columns = [
        torch.where(old & (chance < kind.probability), kind.at(share), 0.0)
        for kind, chance, share in zip(KINDS.values(), whether, how_much, strict=True)
    ]
    return torch.cat(columns, 1)


def same_strengths(by_kind: Mapping[str, float], count: int) -> Tensor:
    """(count, kinds, 1, 1) on the CPU: these strengths, by the names of the kinds, for each of so many photos."""
    columns = torch.zeros(count, len(KINDS), 1, 1)
    for name, strength in by_kind.items():
        columns[:, PLACES[name]] = strength
    return columns


def _aged(image: Tensor, lightness: Tensor, strengths: Tensor, key: Tensor) -> Tensor:
    colour, grey = (image + 1) / 2, encoded_grey(lightness)
    for kind, strength in zip(KINDS.values(), strengths.chunk(len(KINDS), 1), strict=True):
        scene = (colour,) if kind.of_colour else ()
        grey = _changed(grey, strength, kind.change, *scene, grey, strength, key)
    return grey_lightness(grey)


def _in_the_picture(ab: Tensor, frame: Tensor, key: Tensor) -> Tensor:
    return ab * damage.picture(ab, frame, key)


def _changed(before: Tensor, strength: Tensor, change: Callable[..., Tensor], *parts: Tensor) -> Tensor:
    """`change` of the parts where a sample has any strength (N, 1, 1, 1), else what was before.

    On the CPU only those samples cost anything; on a GPU picking them would mean to wait for it.
    """
    if before.device.type != "cpu":
        return torch.where(strength > 0, change(*parts), before)
    some = strength.flatten().nonzero().flatten()
    return before.index_copy(0, some, change(*(part[some] for part in parts))) if len(some) else before
