"""How well a colorizer does on photos whose colours are known: the figures of one way to colour them."""

from dataclasses import asdict, dataclass
from typing import Any

from img2img.data.image_source import ImageSource
from img2img.evaluation.colorizers.measured_photos import (
    COLOURED,
    GREY,
    TRUTH,
    Colorize,
    MeasuredPhotos,
    Values,
    measure_photos,
)
from img2img.evaluation.colorizers.similarity import Lpips
from img2img.evaluation.sets.feature_network import PooledFeatures


@dataclass(frozen=True)
class ColorizerScore:
    """Means over photos with colour, and distances between sets of them.

    PSNR in dB, SSIM and LPIPS of the coloured and of the grey photos against the true ones; colourfulness of the
    coloured and the true. LPIPS is None without its weights, SSIM where it was not asked for. The Frechet distances are
    from the true photos to the same ones coloured, or grey; None without features, or for few photos.
    """

    photos: int
    size: int
    psnr: float
    psnr_of_grey: float
    ssim: float | None
    ssim_of_grey: float | None
    colourfulness: float
    colourfulness_of_truth: float
    lpips: float | None = None
    lpips_of_grey: float | None = None
    frechet_distance: float | None = None
    frechet_distance_of_grey: float | None = None

    @property
    def psnr_gain(self) -> float:
        """How many dB the colours bring."""
        return self.psnr - self.psnr_of_grey

    @property
    def colourfulness_ratio(self) -> float:
        """The results' mean colourfulness over the truth's."""
        return self.colourfulness / self.colourfulness_of_truth

    def figures(self) -> dict[str, Any]:
        """Rounded for a card: those that decide, then what they are made of."""
        distances = _rounded(
            frechet_distance=self.frechet_distance, frechet_distance_of_grey=self.frechet_distance_of_grey
        )
        means = {name: value for name, value in _rounded(**asdict(self)).items() if name not in distances}
        return {**self._gains(), **distances, "means": means}

    def row(self) -> dict[str, float]:
        """What one way to decode is chosen by."""
        return self._gains() | _rounded(lpips=self.lpips, frechet_distance=self.frechet_distance)

    def row_of_set(self) -> dict[str, float]:
        """What tells one set of photos from another."""
        return {
            "photos": self.photos,
            **self._gains(),
            **_rounded(
                lpips=self.lpips,
                lpips_of_grey=self.lpips_of_grey,
                frechet_distance=self.frechet_distance,
                frechet_distance_of_grey=self.frechet_distance_of_grey,
            ),
        }

    def _gains(self) -> dict[str, float]:
        return _rounded(psnr_gain_db=self.psnr_gain, colourfulness_ratio=self.colourfulness_ratio)


def evaluate_colorizer(
    colorize: Colorize,
    source: ImageSource,
    *,
    size: int,
    lpips: Lpips | None = None,
    features: PooledFeatures | None = None,
) -> ColorizerScore:
    """Colour the grey of every photo and compare with the photo itself; photos without colour tell nothing.

    Raises DataError when there is none with colour.
    """
    return score(measure_photos([colorize], source, size=size, lpips=lpips, features=features))


def score(measured: MeasuredPhotos, way: int = 0) -> ColorizerScore:
    """Of the photos coloured in one of the ways."""
    coloured = COLOURED + way
    return ColorizerScore(
        photos=len(measured),
        size=measured.size,
        psnr=_mean(measured.psnr, coloured),
        psnr_of_grey=_mean(measured.psnr, GREY),
        ssim=_mean(measured.ssim, coloured) if coloured == COLOURED else None,
        ssim_of_grey=_mean(measured.ssim, GREY) if coloured == COLOURED else None,
        colourfulness=_mean(measured.colourfulness, coloured),
        colourfulness_of_truth=_mean(measured.colourfulness, TRUTH),
        lpips=None if measured.lpips is None else _mean(measured.lpips, coloured),
        lpips_of_grey=None if measured.lpips is None else _mean(measured.lpips, GREY),
        frechet_distance=measured.frechet_distance(coloured),
        frechet_distance_of_grey=measured.frechet_distance(GREY),
    )


def _mean(values: Values, column: int) -> float:
    return float(values[:, column].mean())


def _rounded(**figures: float | None) -> dict[str, float]:
    return {name: round(value, 3) for name, value in figures.items() if value is not None}
