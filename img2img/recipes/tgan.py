"""`tgan`: videos from noise, a latent for each frame (Saito et al. 2017, arXiv 1611.06624)."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from img2img.model_file import TensorSpec
from img2img.networks.dcgan import stage_count
from img2img.networks.tgan import VideoCritic, VideoGenerator
from img2img.recipes.generative import PREVIEW_SIDE, in_rows
from img2img.recipes.recipe import Batch, Recipe
from img2img.recipes.wgan import WganSvcRecipe


class TganRecipe(WganSvcRecipe):
    @dataclass(frozen=True, kw_only=True)
    class Config(WganSvcRecipe.Config):
        batch_size: int = 32
        frames: int = 16
        n_critic: int = 1

        def __post_init__(self) -> None:
            super().__post_init__()
            self.require("frames", self.frames in (4, 8, 16, 32, 64), "4, 8, 16, 32 or 64")
            halvings = stage_count(self.image_size)
            self.require("frames", self.frames >= 2**halvings, f"{2**halvings} or more: as often halved as the picture")

    name = "tgan"

    config: Config

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.frames = config.frames

    @classmethod
    def exported_network(cls, config: Recipe.Config) -> VideoGenerator:
        assert isinstance(config, TganRecipe.Config)
        return VideoGenerator(
            config.z_dim,
            config.image_channels,
            config.image_size,
            config.frames,
            config.generator_channels,
            config.upsampling,
        )

    @classmethod
    def outputs(cls, config: Recipe.Config) -> tuple[TensorSpec, ...]:
        assert isinstance(config, TganRecipe.Config)
        (image,) = super().outputs(config)
        batch, channels, *side = image.shape
        return (TensorSpec("video", (batch, channels, config.frames, *side), image.unit, image.range),)

    def build_critic(self) -> nn.Module:
        config = self.config
        return VideoCritic(config.image_channels, config.image_size, config.frames, config.discriminator_channels)

    def real(self, batch: Batch) -> Tensor:
        """The batch's videos (N, image_channels, T, S, S)."""
        video = batch["video"]
        return video if self.config.image_channels == 3 else video.mean(1, keepdim=True)

    def samples(self, batch: Batch) -> Tensor:
        return super().samples(batch)[:, :, -1]

    def preview(self, batch: Batch) -> Tensor:
        """A row for each video, a picture for each frame."""
        fixed = torch.arange(PREVIEW_SIDE, device=self.progress.device)
        videos = self.generator(self.latents(fixed, "preview")).transpose(1, 2)
        return in_rows(videos.flatten(0, 1), self.config.frames)
