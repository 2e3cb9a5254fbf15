"""The image pool: discriminators also see what the generators made before (Shrivastava et al. 2017, 1612.07828)."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from img2img.randomness import uniform


class ImagePool(nn.Module):
    """The last `size` pictures of a generator or so, of `shape` (3, H, W), kept with 8 bits; 0: none.

    Part of the recipe's state, so that a resumed run goes on with the same pictures.
    """

    images: Tensor
    filled: Tensor
    """How many places of `images` (size, 3, H, W) uint8 are taken: a scalar, int64."""

    def __init__(self, size: int, shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.size = size
        self.gather: Callable[[Tensor], Tensor] = _alone
        """Joins a tensor's rows from all processes of the run, in the order of the samples."""
        self.register_buffer("images", torch.zeros(size, *shape, dtype=torch.uint8))
        self.register_buffer("filled", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def query(self, images: Tensor, key: Tensor) -> Tensor:
        """(N, 3, H, W) in [-1, 1] -> the same number: half of the time an older picture, which the new one replaces.

        While there is room, pictures come in and are returned. What happens to a picture is a function of its `key`
        (N,); every process does it with those of all, so that all have the same pool.
        """
        if not self.size:
            return images
        keys = self.gather(key)
        swap = uniform(keys, (), "image pool, swap") < 0.5
        place = (uniform(keys, (), "image pool, place") * self.size).long()
        everyone = self.gather(images)
        returned = [self._exchange(*one) for one in zip(everyone[:, None], swap, place[:, None], strict=True)]
        mine = (keys == key[:, None]).int().argmax(1)
        return torch.cat(returned)[mine]

    def _exchange(self, image: Tensor, swap: Tensor, place: Tensor) -> Tensor:
        """One picture (1, 3, H, W) against what is returned for it; asks nothing of the host."""
        room = self.filled < self.size
        place = torch.where(room, self.filled, place)
        old = self.images.index_select(0, place)
        self.images.index_copy_(0, place, torch.where(room | swap, _to_bytes(image), old))
        self.filled += room
        return torch.where(swap & ~room, _from_bytes(old).to(image.dtype), image)


def _alone(rows: Tensor) -> Tensor:
    return rows


def _to_bytes(image: Tensor) -> Tensor:
    return ((image.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)


def _from_bytes(image: Tensor) -> Tensor:
    return image.float() / 127.5 - 1
