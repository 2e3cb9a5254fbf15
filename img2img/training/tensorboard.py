"""The run's figures and previews for TensorBoard, beside stats.jsonl."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from torch import Tensor

from img2img.errors import SettingError


class TensorBoard:
    """Writes RUN/tensorboard; look at it with `tensorboard --logdir RUN`."""

    def __init__(self, run: Path) -> None:
        """Raises SettingError where TensorBoard is not installed."""
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise SettingError("--tensorboard needs the tensorboard package: pip install tensorboard") from error
        self._open = partial(SummaryWriter, run / "tensorboard")

    def begin(self, step: int) -> None:
        """Go on after this step; what was written of later ones is not shown any more."""
        self._writer = self._open(purge_step=step + 1)

    def scalars(self, step: int, record: Mapping[str, float]) -> None:
        for name, value in record.items():
            if name != "step":
                self._writer.add_scalar(name, value, step)

    def picture(self, step: int, pixels: Tensor) -> None:
        """(3, H, W) uint8."""
        self._writer.add_image("preview", pixels, step)

    def close(self) -> None:
        self._writer.close()
