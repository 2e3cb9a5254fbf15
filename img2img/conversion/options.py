"""The options that all conversions share: at once the command line's and the keywords of `convert`."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from img2img.conversion.option import Option, option_fields

if TYPE_CHECKING:
    from img2img.batch.in_color import IfColor
    from img2img.batch.task import Task
    from img2img.inference.runtimes.execution import Execution


@dataclass(frozen=True, kw_only=True)
class ConversionOptions:
    """What colouring and translating have in common. Raises UsageError for a value that an option cannot have."""

    format: Annotated[
        Literal["same", "jpg", "png", "webp", "tiff", "avif"],
        Option(
            "The results' file format; same keeps each photo's own (a GIF becomes a PNG).",
            aliases={"jpeg": "jpg", "tif": "tiff"},
            photos_only=True,
            over_http=True,
        ),
    ] = "same"
    quality: Annotated[
        int | None,
        Option(
            "For JPEG, WebP and AVIF. By default a JPEG keeps its source's quality.",
            metavar="1-100",
            least=1,
            most=100,
            photos_only=True,
            over_http=True,
        ),
    ] = None
    provenance: Annotated[
        bool,
        Option(
            "Record in the results' XMP how they were made: IPTC's digital source type, the model, its"
            " checksum, the options.",
            over_http=True,
        ),
    ] = True
    keep_times: Annotated[bool, Option("Give results the modification and access times of their photos.")] = False
    overwrite: Annotated[bool, Option("Replace existing results instead of skipping them.")] = False
    first_frame: Annotated[
        bool,
        Option("Take the first picture of an animation or a multi-page TIFF.", photos_only=True, over_http=True),
    ] = False
    max_pixels: Annotated[
        int | None,
        Option(
            "Refuse photos with more pixels than this. By default 1,000,000,000.",
            metavar="N",
            least=1,
            photos_only=True,
        ),
    ] = None
    device: Annotated[
        Literal["auto", "cpu", "cuda"], Option("Where the model runs; auto takes a GPU if it can be used.", "Speed")
    ] = "auto"
    runtime: Annotated[
        Literal["auto", "onnxruntime", "openvino"],
        Option(
            "What runs the model; openvino is faster on many processors, and needs pip install '.[openvino]'.", "Speed"
        ),
    ] = "auto"
    jobs: Annotated[
        int | None,
        Option("Photos at a time. By default one per processor core.", "Speed", metavar="N", least=1),
    ] = None
    from_file: Annotated[
        str | None,
        Option(
            "Also convert the photos listed in this file, one per line; - for standard input.",
            "Big batches",
            metavar="LIST",
            photos_only=True,
        ),
    ] = None
    recursive: Annotated[bool, Option("Include the sub-folders of a folder.", "Big batches", photos_only=True)] = True
    report: Annotated[
        Path | None,
        Option(
            "Write what happened to each photo to this .json or .csv file; an earlier report there is replaced.",
            "Big batches",
            metavar="FILE",
        ),
    ] = None
    journal: Annotated[
        Path | None,
        Option(
            "Where to record what is done, so that the same command can continue where it stopped. By default a "
            "hidden file in the output folder.",
            "Big batches",
            metavar="FILE",
            photos_only=True,
        ),
    ] = None
    on_error: Annotated[
        Literal["skip", "stop"],
        Option("When a photo fails: go on with the others, or stop.", "Big batches", photos_only=True),
    ] = "skip"
    watch: Annotated[
        bool,
        Option(
            "Keep converting new photos as they appear, until Ctrl-C. Waits for files that are still being written.",
            "Big batches",
            photos_only=True,
        ),
    ] = False
    engine: Annotated[
        Literal["local", "ray"],
        Option("Work on this machine, or on a Ray cluster (pip install '.[ray]').", "Big batches", photos_only=True),
    ] = "local"
    address: Annotated[
        str | None,
        Option(
            "Address of the Ray cluster; auto joins the one that this machine is part of.",
            "Big batches",
            metavar="HOST:PORT",
        ),
    ] = None
    fps: Annotated[
        float | None,
        Option(
            "Frames per second of a film made from frame_%05d.png. By default 24.",
            "Films",
            metavar="N",
            least=0.01,
            most=1000,
        ),
    ] = None

    def __post_init__(self) -> None:
        for each in option_fields(type(self)):
            value = self.__dict__[each.field]
            object.__setattr__(self, each.field, each.read(value))

    model_task: ClassVar[str]
    """Of the models that these options are for, as their cards have it."""

    def settled(self) -> "ConversionOptions":
        """With all that is left to the models at hand chosen, and a run's model exported.

        Raises UsageError and ModelError.
        """
        raise NotImplementedError

    def when_in_color(self, *, many: bool) -> "IfColor | None":
        """What becomes of photos that are in colour already; None where that does not matter."""
        return None

    def leaves_own(self, *, many: bool) -> bool:
        """Whether photos that the model made before are left out, whatever their colours."""
        return False

    @property
    def hints_beside(self) -> bool:
        """Whether a file of hints beside a photo belongs to it."""
        return False

    @property
    def for_one_photo(self) -> str | None:
        """The option among these that one photo alone can have."""
        return None

    def check_many(self) -> None:
        """Raises UsageError for what one photo alone can have."""

    @property
    def word(self) -> str:
        """What a result beside its source is named by."""
        raise NotImplementedError

    @property
    def chosen_model(self) -> str | None:
        """As it was given: a run may not have been exported yet. None where the choice is left to `settled`."""
        raise NotImplementedError

    @property
    def model_name(self) -> str:
        raise NotImplementedError

    @property
    def one_at_a_time(self) -> bool:
        """Without `jobs` one photo takes all cores, since many would not fit in memory."""
        return False

    @property
    def execution(self) -> "Execution":
        """Where the models run."""
        from img2img.inference.runtimes.execution import Execution

        return Execution(self.device, runtime=self.runtime)

    def task(self) -> "Task":
        """What is done with each photo."""
        raise NotImplementedError
