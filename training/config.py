# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What a training run is made of, as frozen dataclasses."""

import importlib.util
from dataclasses import dataclass
from dataclasses import field

from affordance_ros.image.letterbox import check_size
from affordance_ros.model.heads import HeadConfig
from affordance_ros.model.neck import NeckConfig
from affordance_ros_training.refer import DatasetSpec
from affordance_ros_training.yaml_config import ConfigError

PRECISIONS = ('fp32', 'bf16', 'fp16')
SCHEDULES = ('milestones', 'cosine')


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ConfigError(message)


@dataclass(frozen=True)
class DataConfig:
    """Which data, and how it is laid before the model.

    Attributes:
        root: The folder that holds one folder for each data set.
        datasets: 'name:split_by' of each; several are trained on jointly.
        images: The folder of images; empty looks in the usual places.
        converted: The folder for the converted data sets.
        input_size: The side of the square input in pixels, a multiple of 32.
        sentences_per_image: The most sentences that share one trunk pass.
        absent_share: The share of sentences taken from other images, whose category is absent
            here, with an empty mask; 0 for RefCOCO, where a category says too little.
        max_images: Use only this many images, the first ones; 0 for all.
        workers: Processes that prepare images; 0 for none.
    """

    root: str = 'data'
    datasets: tuple[str, ...] = ('refcoco:unc',)
    images: str = ''
    converted: str = 'data/converted'
    input_size: int = 416
    sentences_per_image: int = 8
    absent_share: float = 0.0
    max_images: int = 0
    workers: int = 2

    def __post_init__(self) -> None:
        """Refuse what can't be used."""
        check_size(self.input_size)
        _require(bool(self.datasets), 'data.datasets must name at least one data set')
        for text in self.datasets:
            DatasetSpec.parse(text)
        _require(self.sentences_per_image >= 1, 'data.sentences_per_image must be at least 1')
        _require(0 <= self.absent_share < 1, 'data.absent_share must lie in [0, 1)')
        _require(self.workers >= 0, 'data.workers must not be negative')


@dataclass(frozen=True)
class AugmentConfig:
    """How images are changed at random; all zeros leave them as they are.

    Attributes:
        zoom_out: The smallest scale: 0.75 shrinks the image to three quarters at most.
        zoom_in: The largest scale; the window always holds every region that is referred to.
        brightness: The most that brightness changes, as a share; likewise the next two.
        contrast: See brightness.
        saturation: See brightness.
        tint: The most that each colour channel is multiplied up or down, as a share.
        flip: The chance of a mirror image, where no sentence of the image names a side.
        focus: The chance that a view is a crop around one region, drawn by weight of its kind,
            in place of a zoom that keeps every region in sight.
        focus_fill: The least share of such a crop's side that the region fills; the most is 1.
        squeeze: How far a crop's aspect is stretched at most, as the logarithm of the ratio.
        grey: The chance that a view loses its colours.
        out_of_sight: The chance that a sentence stays whose region a crop has left out: a name
            that names nothing in the view.
    """

    zoom_out: float = 0.75
    zoom_in: float = 1.5
    brightness: float = 0.2
    contrast: float = 0.2
    saturation: float = 0.2
    tint: float = 0.05
    flip: float = 0.5
    focus: float = 0.0
    focus_fill: float = 0.35
    squeeze: float = 0.0
    grey: float = 0.0
    out_of_sight: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what can't be used."""
        _require(0.1 <= self.zoom_out <= 1, 'augment.zoom_out must lie in [0.1, 1]')
        _require(1 <= self.zoom_in <= 10, 'augment.zoom_in must lie in [1, 10]')
        for name in ('brightness', 'contrast', 'saturation', 'tint'):
            _require(0 <= getattr(self, name) < 1, f'augment.{name} must lie in [0, 1)')
        _require(0 < self.focus_fill <= 1, 'augment.focus_fill must lie in (0, 1]')
        _require(0 <= self.squeeze <= 1, 'augment.squeeze must lie in [0, 1]')
        for name in ('flip', 'focus', 'grey', 'out_of_sight'):
            _require(0 <= getattr(self, name) <= 1, f'augment.{name} must lie in [0, 1]')


@dataclass(frozen=True)
class OptimConfig:
    """How the weights are moved.

    Attributes:
        epochs: How many times every ref is seen.
        batch_size: Images in a step, over all processes.
        learning_rate: AdamW's peak rate.
        weight_decay: AdamW's; the head's scale and bias don't decay.
        head_rate_factor: What the rate of the head's scale and bias is multiplied by. AdamW moves
            a number by at most the rate in a step, so at 1e-3 a scale of 10 takes thousands of
            steps to grow by a few; where text vectors lie close together it has to.
        warmup_steps: Steps of linear warm-up.
        schedule: 'milestones' or 'cosine' (to zero).
        milestones: Epochs after which the rate is multiplied by gamma.
        gamma: See milestones.
        clip_norm: The most that the gradient's norm may be; 0 for no limit.
        ema_decay: Decay of the weights' moving average, which is then validated and saved as the
            model; 0 for none.
        loss_stride: The loss is computed at the input's size divided by this; 1 is the paper's.
        distribution_weight: Of `distribution_loss` beside the paper's; 0 is the paper's.
    """

    epochs: int = 50
    batch_size: int = 64
    learning_rate: float = 1e-4
    weight_decay: float = 1e-2
    head_rate_factor: float = 1.0
    warmup_steps: int = 100
    schedule: str = 'milestones'
    milestones: tuple[int, ...] = (35,)
    gamma: float = 0.1
    clip_norm: float = 1.0
    ema_decay: float = 0.0
    loss_stride: int = 1
    distribution_weight: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what can't be used."""
        _require(self.epochs >= 1, 'optim.epochs must be at least 1')
        _require(self.batch_size >= 1, 'optim.batch_size must be at least 1')
        _require(self.learning_rate > 0, 'optim.learning_rate must be positive')
        _require(self.distribution_weight >= 0, 'optim.distribution_weight must not be negative')
        _require(self.head_rate_factor > 0, 'optim.head_rate_factor must be positive')
        _require(self.warmup_steps >= 0, 'optim.warmup_steps must not be negative')
        _require(
            self.schedule in SCHEDULES,
            f'optim.schedule {self.schedule!r} is unknown; known are {", ".join(SCHEDULES)}',
        )
        _require(self.clip_norm >= 0, 'optim.clip_norm must not be negative')
        _require(0 <= self.ema_decay < 1, 'optim.ema_decay must lie in [0, 1)')
        _require(
            self.loss_stride in (1, 2, 4, 8), 'optim.loss_stride must be one of 1, 2, 4 and 8'
        )


@dataclass(frozen=True)
class FeatureCacheConfig:
    """The trunk's features, kept on disk for later epochs and runs.

    Attributes:
        folder: Where to; empty for no cache.
        max_gb: The most that it may hold; images beyond are computed each time.
        variants: How many augmented views of each image there are; epochs take them in turn.
    """

    folder: str = ''
    max_gb: float = 20.0
    variants: int = 1

    def __post_init__(self) -> None:
        """Refuse what can't be used."""
        _require(self.max_gb > 0, 'feature_cache.max_gb must be positive')
        _require(self.variants >= 1, 'feature_cache.variants must be at least 1')


@dataclass(frozen=True)
class ValidationConfig:
    """How the model is judged after an epoch.

    Attributes:
        dataset: 'name:split_by'; empty for the first one trained on.
        split: The split.
        max_images: Use only this many images, spread evenly over the split; 0 for all.
        every_epochs: Validate after every so many epochs, and after the last.
        sheet_rows: Images on the sheet of heatmaps; 0 for no sheet.
    """

    dataset: str = ''
    split: str = 'val'
    max_images: int = 0
    every_epochs: int = 1
    sheet_rows: int = 8

    def __post_init__(self) -> None:
        """Refuse what can't be used."""
        if self.dataset:
            DatasetSpec.parse(self.dataset)
        _require(self.every_epochs >= 1, 'validation.every_epochs must be at least 1')


@dataclass(frozen=True)
class RunConfig:
    """Where and how a run runs.

    Attributes:
        out: The run's folder.
        seed: Of the weights, the order, the sentences and the augmentation.
        device: auto, cpu, cuda or cuda:N.
        precision: fp32, bf16, or on CUDA fp16.
        threads: CPU threads for torch; 0 leaves torch's choice.
        save_every_s: Seconds between two saves within an epoch.
        prompt_set: The prompts around a sentence.
        wandb: The project at W&B that the numbers go to as well; empty for none.
    """

    out: str = 'runs/train'
    seed: int = 0
    device: str = 'auto'
    precision: str = 'bf16'
    threads: int = 0
    save_every_s: float = 300.0
    prompt_set: str = 'verb'
    wandb: str = ''

    def __post_init__(self) -> None:
        """Refuse what can't be used."""
        _require(
            self.precision in PRECISIONS,
            f'run.precision {self.precision!r} is unknown; known are {", ".join(PRECISIONS)}',
        )
        _require(
            not self.wandb or importlib.util.find_spec('wandb') is not None,
            f'run.wandb is {self.wandb!r}, and wandb is not installed: pip install wandb, or '
            f'leave run.wandb empty',
        )


@dataclass(frozen=True)
class TrainConfig:
    """A whole training run.

    Attributes:
        model: The trunk: `household`, `compact`, or an open_clip ResNet name.
        weights: A path, an open_clip tag, or `random`; empty for the trunk's own.
        neck: The neck.
        head: The head.
        data: See `DataConfig`; likewise the others.
        augment: See `AugmentConfig`.
        optim: See `OptimConfig`.
        feature_cache: See `FeatureCacheConfig`.
        validation: See `ValidationConfig`.
        run: See `RunConfig`.
    """

    model: str = 'RN101-quickgelu'
    weights: str = ''
    neck: NeckConfig = field(default_factory=NeckConfig)
    head: HeadConfig = field(default_factory=HeadConfig)
    data: DataConfig = field(default_factory=DataConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    feature_cache: FeatureCacheConfig = field(default_factory=FeatureCacheConfig)
    validation: ValidationConfig = field(default_factory=ValidationConfig)
    run: RunConfig = field(default_factory=RunConfig)
