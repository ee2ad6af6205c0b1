# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What contrastive pretraining is made of."""

from dataclasses import dataclass
from dataclasses import field

from training.yaml_config import ConfigError


@dataclass(frozen=True)
class StageConfig:
    """A part of pretraining with pictures of one size.

    Attributes:
        until: The share of the budget at which it ends, in (0, 1].
        crop_size: The side of crops (lines with a box), in pixels.
        scene_size: The side of whole images, in pixels.
        crop_batch: Crops in a step.
        scene_batch: Whole images in a step.
    """

    until: float = 1.0
    crop_size: int = 64
    scene_size: int = 128
    crop_batch: int = 128
    scene_batch: int = 48

    def __post_init__(self) -> None:
        """Refuse what can't be used."""
        if not 0 < self.until <= 1:
            raise ConfigError(f'until {self.until} must lie in (0, 1]')
        for side in (self.crop_size, self.scene_size):
            if side < 32 or side % 32:
                raise ConfigError(f'the size {side} must be a positive multiple of 32')
        if self.crop_batch < 2 or self.scene_batch < 2:
            raise ConfigError('a contrast needs a batch of at least 2')


_STAGES = (StageConfig(until=0.6), StageConfig(until=1.0, crop_size=96, scene_size=160))


@dataclass(frozen=True)
class PretrainConfig:
    """A whole pretraining run.

    Attributes:
        captions: The training list.
        validation: A list to measure retrieval by; empty for none.
        out: The run's folder.
        store: The folder for decoded pixels; empty for the run's folder.
        minutes: The budget of computing time; it ends the run if `steps` is 0.
        steps: The budget of steps; a run with one is reproducible to the bit.
        stages: From small pictures to larger ones.
        initial: A trunk file to start from in place of random weights; empty for none.
        captions_each: Captions of each picture in a batch, as far as it has them.
        titled: The chance that a crop's first caption, its plain name, is among those. Crops of a
            kind share it, so it teaches kinds without calling a true caption wrong.
        scene_every: Every so-manyth step takes whole images; the others take boxes.
        context: The least and the most that a box is widened to a square crop, as a factor on its
            longer side; the image's edge bounds it.
        least_crop_px: The range of the least side of a crop, in pixels of the image: small parts
            keep some surroundings.
        jitter: How far a crop's centre moves at random, as a share of its side.
        colour: How far brightness, contrast and saturation change, as a share.
        tint: How far each colour channel changes, as a share.
        flip: The chance of a mirror image, where the caption names no side.
        learning_rate: AdamW's peak rate.
        weight_decay: AdamW's, on matrices and kernels.
        warmup_steps: Steps of linear warm-up.
        clip_norm: The most that the gradient's norm may be.
        max_logit_scale: The most that the temperature's factor may be.
        recalibration_size: At the end BatchNorm's statistics are measured afresh on whole images
            of this side, as the frozen trunk will see them; 0 keeps those of training.
        validate_every_s: Seconds between two validations.
        seed: Of weights, order and augmentation.
        device: auto, cpu, cuda or cuda:N.
        bf16: Compute in bfloat16 under autocast.
        threads: CPU threads for torch; 0 leaves torch's choice.
        save_every_s: Seconds between two saves.
    """

    captions: str = 'data/tabletop/captions_pretrain.jsonl'
    validation: str = ''
    out: str = 'runs/pretrain'
    store: str = ''
    minutes: float = 45.0
    steps: int = 0
    stages: tuple[StageConfig, ...] = field(default=_STAGES)
    initial: str = ''
    captions_each: int = 1
    titled: float = 0.0
    scene_every: int = 8
    context: tuple[float, ...] = (1.05, 1.8)
    least_crop_px: tuple[float, ...] = (22.0, 60.0)
    jitter: float = 0.12
    colour: float = 0.25
    tint: float = 0.08
    flip: float = 0.5
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    warmup_steps: int = 100
    clip_norm: float = 1.0
    max_logit_scale: float = 50.0
    recalibration_size: int = 0
    validate_every_s: float = 300.0
    seed: int = 0
    device: str = 'auto'
    bf16: bool = True
    threads: int = 0
    save_every_s: float = 120.0

    def __post_init__(self) -> None:
        """Refuse what can't be used."""
        ends = [stage.until for stage in self.stages]
        if not ends or ends != sorted(ends) or ends[-1] != 1.0:
            raise ConfigError(f'the stages end at {ends}: they must rise and end at 1.0')
        for name in ('context', 'least_crop_px'):
            values = getattr(self, name)
            if len(values) != 2 or not 1 <= values[0] <= values[1]:
                raise ConfigError(f'{name} {values} must be two numbers, 1 <= least <= most')
        for name in ('scene_every', 'captions_each'):
            if getattr(self, name) < 1:
                raise ConfigError(f'{name} {getattr(self, name)} must be at least 1')
        if not 0 <= self.titled <= 1:
            raise ConfigError(f'titled {self.titled} must lie in [0, 1]')
        if self.minutes <= 0 and self.steps <= 0:
            raise ConfigError('give a budget: minutes or steps')
