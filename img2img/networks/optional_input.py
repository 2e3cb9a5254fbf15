"""Networks with one more input, which whoever runs their graph may leave out, and one more output."""

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor, nn


class WithOptionalInput(nn.Module, ABC):
    """Takes what its network takes, then the optional input; gives what its network gives, then the other output."""

    optional: ClassVar[str]
    """Name of the input that may be left out."""
    further: ClassVar[str]
    """Name of the output beside the network's own."""

    @abstractmethod
    def neutral(self) -> Tensor:
        """What the optional input is where it is left out: the network computes what it does without."""
