"""What a checkpoint holds, by the names and shapes of its tensors alone."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from img2img.errors import ModelError
from img2img.importing.generator_layout import GeneratorLayout, UnlikeLayout
from img2img.importing.resnet_layout import resnet_layout
from img2img.importing.unet_layout import unet_layout

KNOWN = (
    "expected a generator of pytorch-CycleGAN-and-pix2pix, CUT or FastCUT: a ResNet (model.1.weight, "
    "model.10.conv_block.1.weight ...) or a U-Net (model.model.0.weight, model.model.1.model.1.weight ...)"
)
OTHERS = {
    "model.0.weight": "a discriminator, it seems: their generators are in files named like latest_net_G.pth",
    "mlp_0.0.weight": "CUT's netF, it seems, which only training needs: the generator is in latest_net_G.pth",
}
"""What lies in the same folders, by a name that is in it."""


def recognised(tensors: Mapping[str, Tensor], path: Path) -> GeneratorLayout:
    """The layout that the tensors have, every one of them; ModelError, with what was found and expected, of others."""
    try:
        layout = resnet_layout(tensors) or unet_layout(tensors)
        if layout:
            layout.check(tensors)
            return layout
    except UnlikeLayout as unlike:
        raise ModelError(f"{path}: {unlike}: not a checkpoint as its authors' code writes it") from None
    raise ModelError(f"{path}: not recognised: {_found(tensors)}; {KNOWN}")


def _found(tensors: Mapping[str, Tensor]) -> str:
    """In words what it is, or its first tensors."""
    for name, what in OTHERS.items():
        if name in tensors:
            return what
    first = ", ".join(f"{name:.60} ({' x '.join(map(str, one.shape))})" for name, one in list(tensors.items())[:3])
    return f"{len(tensors)} tensors, {first}{' ...' if len(tensors) > 3 else ''}"
