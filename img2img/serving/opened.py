"""The models that a server has open, shared by its threads and by requests that ask for different options."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from img2img.batch.photo_options import PhotoOptions
from img2img.batch.task import Colorizing, PhotoConverter, Task, Translating
from img2img.conversion.colorize_options import ColorizeOptions
from img2img.conversion.options import ConversionOptions
from img2img.conversion.photo import photo_options
from img2img.conversion.translate_options import TranslateOptions
from img2img.errors import Img2ImgError
from img2img.inference.colorizer import Colorizer
from img2img.inference.opened_model import find_critic, find_reverse
from img2img.inference.scorer import Scorer
from img2img.inference.translator import Translator
from img2img.model_file import find_model


@dataclass
class OpenedModels:
    """Each model is opened once. `threads`: the cores that one photo may take."""

    threads: int
    _models: dict[tuple[str, str], Any] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def open_ahead(self, device: str, runtime: str) -> None:
        """Opens the model that most will ask for, where there is one."""
        with suppress(Img2ImgError):  # told to whoever asks for it
            self.converter(ColorizeOptions(device=device, runtime=runtime))  # type: ignore[arg-type]

    def converter(self, options: ConversionOptions) -> tuple[PhotoConverter, PhotoOptions]:
        """What `convert_photo` takes. Raises ModelError."""
        return self._converter(options.task()), photo_options(options)

    def colorizer(self, task: Colorizing) -> Colorizer:
        with self._lock:
            if ("colorize", task.model) not in self._models:
                self._models["colorize", task.model] = task.open_model(self.threads)
            colorizer: Colorizer = self._models["colorize", task.model]
            return colorizer

    def translator(self, task: Translating) -> tuple[Translator, Scorer | None]:
        with self._lock:
            if ("translate", task.model) not in self._models:
                self._models["translate", task.model] = task.open_model(self.threads)
            translator: Translator = self._models["translate", task.model]
            key = ("score", task.model)
            if key not in self._models or (task.score and not self._models[key]):  # which says why there is none
                self._models[key] = task.open_scorer(translator, self.threads)
            if task.cycle:
                translator.reverse()
            return translator, self._models[key]

    def _converter(self, task: Task) -> PhotoConverter:
        if isinstance(task, Colorizing):
            return task.using(self.colorizer(task))
        assert isinstance(task, Translating)
        return task.using(*self.translator(task))


def check_at_hand(options: ConversionOptions) -> None:
    """Raises MissingModel where a file is gone that a job will open: a job takes none of those that are open."""
    find_model(options.model_name)
    if isinstance(options, TranslateOptions):
        if options.cycle:
            find_reverse(options.model_name)
        if options.judged:
            find_critic(options.model_name)
