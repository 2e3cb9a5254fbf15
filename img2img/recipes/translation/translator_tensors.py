"""What every translator takes and gives: a picture, and the statistics of its instance norms."""

from torch import nn

from img2img.model_file import TensorSpec
from img2img.networks.measured_norm import WithStatistics, statistics_size

_UNIT = "sRGB / 127.5 - 1"
IMAGE = TensorSpec("image", (1, 3, "H", "W"), _UNIT, (-1.0, 1.0))
TRANSLATED = TensorSpec("translated", (1, 3, "H", "W"), _UNIT, (-1.0, 1.0))
GREY_LEVELS = 127.5
"""Of 255, in one unit of a translated picture."""
STATISTICS = "means, then variances, that its norms measured; given as the input 'frozen' they take their place"


def with_statistics(network: nn.Module) -> nn.Module:
    """With the statistics of its instance norms, given back for tiles of one picture; without such norms itself."""
    return WithStatistics(network) if statistics_size(network) else network


def statistics_outputs(network: nn.Module) -> tuple[TensorSpec, ...]:
    """What `with_statistics` gives beside the picture."""
    size = statistics_size(network)
    return (TensorSpec(WithStatistics.further, (1, 2, size), STATISTICS, (-1e6, 1e6)),) if size else ()
