"""The public data sets that `img2img data download` knows, and the data that a recipe is meant for.

Addresses: the CycleGAN authors' server, then their older one. Sizes and SHA-256: as TensorFlow Datasets recorded them
from the older one (its url_checksums/cycle_gan.txt).
"""

from dataclasses import dataclass

from img2img.choices import meant_or_all
from img2img.errors import DataError

_SERVERS = (
    "https://efrosgans.eecs.berkeley.edu/cyclegan/datasets/",
    "http://efrosgans.eecs.berkeley.edu/cyclegan/datasets/",
    "https://people.eecs.berkeley.edu/~taesung_park/CycleGAN/datasets/",
)


@dataclass(frozen=True)
class PublicSet:
    """A zip with folders trainA, trainB, testA, testB; `size` in bytes; `withdrawn` says why it cannot be had."""

    name: str
    about: str
    size: int | None = None
    sha256: str | None = None
    withdrawn: str = ""

    @property
    def urls(self) -> tuple[str, ...]:
        return tuple(f"{server}{self.name}.zip" for server in _SERVERS)


_SETS = (
    PublicSet(
        "horse2zebra",
        "horses and zebras (ImageNet)",
        116_867_962,
        "a74d9d392eecca9966b51287a76ca126af473d9de4f3e8fc0e9cda08fa1730a1",
    ),
    PublicSet(
        "apple2orange",
        "apples and oranges (ImageNet)",
        78_456_409,
        "845a191e9af8926408ea597001cd03a452e3300a1f44a79fe329b3d59f6e3eb8",
    ),
    PublicSet(
        "summer2winter_yosemite",
        "Yosemite in summer and in winter (Flickr)",
        132_640_856,
        "167fe1726807a9d22bd106b4a6c0bd7953b688af924ac1bf967439c4961e49f9",
    ),
    PublicSet(
        "monet2photo",
        "paintings by Monet and photos of landscapes",
        305_231_073,
        "88f91b00fc228f97c9411fbf1880ec1d119c98f1722e4cfcfaa2fb35fac05b04",
    ),
    PublicSet(
        "cezanne2photo",
        "paintings by Cezanne and photos of landscapes",
        279_885_071,
        "3a6c10ca21f9485862f1cbd707744b9dc258954a04631271d23a3605eeb63cff",
    ),
    PublicSet(
        "ukiyoe2photo",
        "ukiyo-e prints and photos of landscapes",
        292_946_532,
        "02a2a2fb5ecf425ca1bf86aca7304377da64a2a1d3b86df54eb65e4068bf3b08",
    ),
    PublicSet(
        "vangogh2photo",
        "paintings by Van Gogh and photos of landscapes",
        306_590_349,
        "362c3473e70be0944bda08d49d660eafdc2854df55d697835b8186d1d79caaff",
    ),
    PublicSet(
        "maps",
        "aerial photos and maps of New York",
        1_476_754_427,
        "639534f69dbf9f36bef8d6292a7698006361221f83f0285d7c9ca78afe6e8a9e",
    ),
    PublicSet(
        "cityscapes",
        "street scenes and their labels",
        withdrawn="its licence lets only its owners give it out; register at https://www.cityscapes-dataset.com",
    ),
    PublicSet(
        "facades",
        "facades and their labels (CMP)",
        35_135_868,
        "9a31ebf3a31b9b5cd195dd5bf62e9308e00cb94604d1019e3889ac84248695c0",
    ),
    PublicSet(
        "iphone2dslr_flower",
        "flowers by telephone and by camera (Flickr)",
        339_964_458,
        "8fcb5e374d631b107e1d961b8c4cd0a186aa2a4ff3e279923f4c426128de7113",
    ),
    PublicSet("ae_photos", "photos to be painted, for testing"),
)
CATALOGUE = {each.name: each for each in _SETS}
FETCHABLE = tuple(each.name for each in _SETS if not each.withdrawn)
"""The names of the sets that anybody may have."""


def find_set(name: str) -> PublicSet:
    """The set of that name; raises DataError with the names of those that can be had, or with why it cannot be had."""
    if name not in CATALOGUE:
        advice = meant_or_all(name, FETCHABLE)
        raise DataError(f"no data set is called {name!r} (any other zip needs --url); {advice}")
    if reason := CATALOGUE[name].withdrawn:
        raise DataError(f"{name} cannot be fetched: {reason}")
    return CATALOGUE[name]


@dataclass(frozen=True)
class DefaultData:
    """What to give as --data, and the command that fetches it; None where it comes with img2img."""

    data: str
    fetch: str | None = None


_LANDSCAPES = DefaultData("datasets/monet2photo/trainB", "img2img data download monet2photo")
_HORSES_AND_ZEBRAS = DefaultData("datasets/horse2zebra", "img2img data download horse2zebra")
_FACADES = DefaultData("datasets/facades", "img2img data download facades")
_DIGITS = DefaultData("digits")
_DEFAULTS = {
    **dict.fromkeys(("colorizer", "colorizer-gan"), _LANDSCAPES),
    **dict.fromkeys(("gan", "dcgan", "cgan", "wgan", "wgan-gp", "wgan-sn", "wgan-svc", "tgan"), _DIGITS),
    "cyclegan": _HORSES_AND_ZEBRAS,
    "pix2pix": _FACADES,
}


def default_data(recipe: str) -> DefaultData:
    """The data that a recipe is shown with; for one that is not in the table, photos."""
    return _DEFAULTS.get(recipe, _LANDSCAPES)
