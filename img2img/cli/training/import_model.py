"""`img2img import CHECKPOINT -o FILE.onnx`: a generator that another framework trained becomes a model file."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from img2img.cli.shared_options import Overwrite, choice_option

_NormWay = Literal["picture", "running"]
_ResultKind = Literal["change", "picture"]


def import_model(
    checkpoint: Annotated[
        Path, typer.Argument(metavar="CHECKPOINT", help="The generator's file: latest_net_G.pth, or a .safetensors.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="The model file to write (.onnx).")],
    norm: Annotated[
        _NormWay,
        choice_option(
            _NormWay,
            help="How batch norms (pix2pix has them) normalise: by the statistics of each picture, as its authors "
            "do, or by the running statistics from training.",
        ),
    ] = "picture",
    native_size: Annotated[
        int | None,
        typer.Option(
            min=32,
            metavar="N",
            help="Photos are shrunk to about N x N pixels for the model: the crop size that it was trained with. By "
            "default 256; of a U-Net of 7, 9 or 10 levels 128 (unet_128), 512 or 1024.",
            show_default=False,
        ),
    ] = None,
    result: Annotated[
        _ResultKind | None,
        choice_option(
            _ResultKind,
            help="What becomes of a photo: change enlarges the network's change to a small copy and adds it to the "
            "photo; picture enlarges what the network drew, as for masks and sketches. By default picture for "
            "what looks like pix2pix (a U-Net, batch norms, or from grey to colour), change for other ResNets.",
        ),
    ] = None,
    reverse: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="The model that translates back, beside FILE.onnx or one of `img2img models`. The card names it, and "
            "`translate --cycle` uses it. It may be imported later.",
            show_default=False,
        ),
    ] = None,
    licence: Annotated[str, typer.Option(help="The licence of the weights, for the card.")] = "unknown",
    source: Annotated[str, typer.Option(help="Who trained it on what, or an address, for the card.")] = "unknown",
    overwrite: Overwrite = False,
) -> None:
    """Write a checkpoint of pytorch-CycleGAN-and-pix2pix, CUT or FastCUT as FILE.onnx, for `img2img translate`.

    The network is recognised from its tensors: a ResNet or a U-Net, with batch or instance norms. Nothing in the
    checkpoint is run. FILE.onnx is written only if it computes the same as the checkpoint.

    \b
    Examples:
      img2img import latest_net_G_A.pth -o summer2winter.onnx
      img2img import facades_net_G.pth -o facades.onnx --source 'trained by me in 2019'
      img2img translate photo.jpg --model summer2winter.onnx
    """
    from img2img.atomic_file import check_target
    from img2img.errors import ExportError
    from img2img.progress_bar import status_line

    check_target(output, overwrite=overwrite, error=ExportError)  # before torch is imported
    from img2img.importing import import_model as importing

    with status_line() as tell:
        tell(f"{output}: making its graph, comparing it with PyTorch")
        imported = importing.import_model(
            checkpoint,
            output,
            norm=norm,
            licence=licence,
            source=source,
            native_size=native_size,
            result=result,
            reverse=reverse,
            overwrite=overwrite,
        )
    print(imported.card.notes)
    for parity in imported.parity:
        print(f"parity of {parity}: {parity.difference:.2g} {parity.unit}")
    print(f"{imported.file}: {imported.file.stat().st_size / 1e6:.1f} MB")
    if imported.awaited:
        print(f"{imported.awaited}: not there yet; translate --cycle needs it, so import the way back, too")
