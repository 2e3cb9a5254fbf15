"""The one training loop. It runs any recipe and names none."""

import math
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from types import FrameType

import torch
from torch import Tensor

from img2img.atomic_file import why_not
from img2img.errors import RunError
from img2img.randomness import derive_seed
from img2img.recipes.recipe import Batch, Recipe
from img2img.training.data import preview_batch, training_batches
from img2img.training.ema import Ema
from img2img.training.image_source import ImageSource
from img2img.training.previews import save_preview
from img2img.training.progress import training_progress
from img2img.training.run_folder import RunFolder
from img2img.training.state import TrainState, python_rng_state, restore_python_rng


@dataclass(frozen=True)
class Pace:
    """How often things happen, in steps, and with how many loader processes."""

    log_every: int = 50
    save_every: int = 500
    preview_every: int = 500
    preview_count: int = 8
    workers: int = 0


@dataclass(frozen=True)
class _Start:
    """When `train` began, and at which step."""

    time: float
    step: int


class Trainer:
    """Trains one recipe in one folder. `resume` or go straight to `train`."""

    def __init__(
        self,
        recipe: Recipe,
        source: ImageSource,
        folder: RunFolder,
        *,
        seed: int,
        device: torch.device,
        pace: Pace,
    ) -> None:
        self.recipe = recipe.to(device).to(memory_format=torch.channels_last).train()
        self.source, self.folder, self.seed, self.device, self.pace = source, folder, seed, device, pace
        self.optimizers = recipe.optimizers()
        self._base_rates = {
            name: [group["lr"] for group in optimizer.param_groups] for name, optimizer in self.optimizers.items()
        }
        averaged = {name: recipe.get_submodule(name) for name in recipe.averaged}
        self.ema = Ema(averaged, recipe.config.ema_decay)
        self.step = 0
        self.samples = 0
        self._seconds_before = 0.0
        self._stop = False

    def train(self) -> None:
        """Run to the last step; save on the way, at the end, and when interrupted."""
        steps = self.recipe.config.steps
        preview = self._to_device(self._preview_batch())
        with self._stop_on_interrupt(), training_progress(self.step, steps) as show:
            started = _Start(time.monotonic(), self.step)
            for batch in self._batches():
                scalars = self._train_step(self._to_device(batch))
                show(self.step)
                last = self._stop or self.step == steps  # read once: Ctrl-C may come at any time
                if last or self.step % self.pace.log_every == 0:
                    show(self.step, self._record(scalars, started))
                if last or self.step % self.pace.preview_every == 0:
                    self._save_preview(preview)
                if last or self.step % self.pace.save_every == 0:
                    self._save(scalars)
                if last:
                    break
        if self.step < steps:
            raise KeyboardInterrupt

    def _train_step(self, batch: Batch) -> dict[str, Tensor]:
        torch.manual_seed(derive_seed(self.seed, "step", self.step))
        self._set_learning_rates()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            scalars: dict[str, Tensor] = self.recipe.step(batch, self._update)
        self.ema.update(self.step)
        self.step += 1
        self.samples += len(batch["image"])
        return scalars

    def _update(self, name: str, loss: Tensor) -> None:
        optimizer = self.optimizers[name]
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(self.device.type, enabled=False):
            torch.autograd.backward(loss)
        optimizer.step()

    def _set_learning_rates(self) -> None:
        factor = self.recipe.lr_multiplier((self.step + 1) / self.recipe.config.steps)
        for name, optimizer in self.optimizers.items():
            for group, base in zip(optimizer.param_groups, self._base_rates[name], strict=True):
                group["lr"] = base * factor

    def _batches(self) -> Iterator[Batch]:
        config = self.recipe.config
        remaining = (config.steps - self.step) * config.batch_size
        yield from training_batches(
            self.source,
            image_size=config.image_size,
            batch_size=config.batch_size,
            first=self.samples,
            stop=self.samples + remaining,
            seed=self.seed,
            workers=self.pace.workers,
        )

    def _preview_batch(self) -> Batch:
        return preview_batch(
            self.source,
            image_size=self.recipe.config.image_size,
            count=self.pace.preview_count,
            seed=self.seed,
        )

    def _to_device(self, batch: Batch) -> Batch:
        return {
            name: tensor.to(
                self.device,
                non_blocking=True,
                memory_format=torch.channels_last if tensor.ndim == 4 else torch.preserve_format,
            )
            for name, tensor in batch.items()
        }

    def _record(self, scalars: dict[str, Tensor], started: _Start) -> dict[str, float]:
        seconds = time.monotonic() - started.time
        images = (self.step - started.step) * self.recipe.config.batch_size
        record = {
            "step": self.step,
            **_fetch(scalars),
            "images_per_second": round(images / seconds, 2),
            "seconds": round(self._seconds_before + seconds, 1),
        }
        self.folder.append_stats(record)
        _check_finite(record, self.folder)
        return record

    @torch.no_grad()
    def _save_preview(self, batch: Batch) -> None:
        with self.ema.applied(self.recipe):
            save_preview(self.recipe.preview(batch), self.folder.preview_path(self.step))

    def _save(self, scalars: dict[str, Tensor]) -> None:
        """Write a state from which the run goes on bit for bit; never one with a loss that is not finite."""
        _check_finite(_fetch(scalars), self.folder)
        try:
            self.state().save(self.folder.path)
        except (OSError, RuntimeError) as error:  # torch turns a full disk into a RuntimeError
            cause = error.__context__ if isinstance(error.__context__, OSError) else error
            raise RunError(
                f"{self.folder.path}: no state could be saved at step {self.step}: {why_not(cause, 'written')}; "
                "the states before are whole: --resume goes on from them"
            ) from error

    def state(self) -> TrainState:
        """All that a resumed run needs."""
        return TrainState(
            recipe=self.recipe.name,
            config=asdict(self.recipe.config),
            seed=self.seed,
            step=self.step,
            samples=self.samples,
            networks=self.recipe.state_dict(),
            optimizers={name: optimizer.state_dict() for name, optimizer in self.optimizers.items()},
            ema=self.ema.state_dict(),
            torch_rng=torch.get_rng_state(),
            python_rng=python_rng_state(),
        )

    def resume(self, state: TrainState) -> None:
        """Go on exactly where the state was saved."""
        self.recipe.load_state_dict(state.networks)
        self.ema.load_state_dict(state.ema)
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state.optimizers[name])
        self.step, self.samples = state.step, state.samples
        torch.set_rng_state(state.torch_rng)
        restore_python_rng(state.python_rng)
        self.folder.forget_stats_after(state.step)
        self._seconds_before = self.folder.seconds()

    @contextmanager
    def _stop_on_interrupt(self) -> Iterator[None]:
        """The first Ctrl-C finishes the step and saves; the second one quits at once."""

        def handle(signum: int, frame: FrameType | None) -> None:
            self._stop = True
            signal.signal(signal.SIGINT, signal.default_int_handler)

        before = signal.signal(signal.SIGINT, handle)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)


def _fetch(scalars: dict[str, Tensor]) -> dict[str, float]:
    return {name: float(value) for name, value in scalars.items()}


def _check_finite(record: dict[str, float], folder: RunFolder) -> None:
    bad = [name for name, value in record.items() if not math.isfinite(value)]
    if bad:
        raise RunError(
            f"{folder.path}: {', '.join(bad)} is not finite any more; the last saved state is still good: `img2img "
            "export` it, then start a new run from its .safetensors with --init and a lower learning rate"
        )
