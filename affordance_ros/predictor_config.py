# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""How a predictor reads images and commands and chooses targets; where its time goes."""

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from affordance_ros.backends.select import Model
from affordance_ros.image.letterbox import SHAPES
from affordance_ros.image.letterbox import Letterbox
from affordance_ros.image.letterbox import check_size
from affordance_ros.targets.activation import Activation
from affordance_ros.targets.grounding import Grounding
from affordance_ros.targets.grounding import SizeGate
from affordance_ros.targets.instances import InstanceConfig
from affordance_ros.targets.instances import find_instances
from affordance_ros.targets.smoothing import KEEP_SHARE
from affordance_ros.targets.smoothing import HeatSmoother
from affordance_ros.text.prompts import AUTO

DEFAULT_INPUT_SIZE = 320  # where neither the configuration nor the checkpoint says


@dataclass(frozen=True)
class Timings:
    """Where the time of one prediction went.

    Attributes:
        preprocess_s: Scaling and normalising the image, in seconds.
        model_s: The model, with the way to its device and back: the copy back waits for a GPU to
            be done, so nothing else needs to.
        postprocess_s: Heatmaps and targets of all commands.
    """

    preprocess_s: float = 0.0
    model_s: float = 0.0
    postprocess_s: float = 0.0


@dataclass(frozen=True)
class PredictorConfig:
    """How images and commands are read and targets chosen; all but the size may change live.

    Attributes:
        input_size: The long side of the model's input in pixels, a multiple of 32; 0 takes the
            checkpoint's own, or 320 where there is none.
        input_shape: 'rectangle' keeps the border small, 'square' is as in training.
        prompt_set: A shipped prompt set's name, the path of a YAML file, or 'auto': `parts` for
            `household`, the bare command for others.
        min_score: The lowest score of a target, in [0, 1].
        min_prominence: Two hills of heat are two targets if the heat between them is lower than
            the lower one's by at least this share of it.
        region_share: Pixels belong to a target's region whose heat is at least this share of its
            score.
        min_distance_px: The least distance between two targets, in pixels of the image.
        min_area_px: The least area of a target's region, in pixels of the image.
        max_area_px: The greatest; 0 for any.
        max_targets: Maximum number of targets.
    """

    input_size: int = 0
    input_shape: str = 'rectangle'
    prompt_set: str = AUTO
    min_score: float = 0.37
    min_prominence: float = 0.5
    region_share: float = 0.4
    min_distance_px: float = 20.0
    min_area_px: int = 0
    max_area_px: int = 0
    max_targets: int = 5

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        if self.input_size:
            check_size(self.input_size)
        if self.input_shape not in SHAPES:
            raise ValueError(f'input_shape {self.input_shape!r} is unknown; known are {SHAPES}')
        if self.max_targets < 1:
            raise ValueError(f'max_targets {self.max_targets} must be at least 1')
        _ = self.instances, self.size_gate  # which check their values

    @property
    def instances(self) -> InstanceConfig:
        """What is a target of its own."""
        return InstanceConfig(
            self.min_score, self.min_prominence, self.region_share, self.min_distance_px
        )

    @property
    def size_gate(self) -> SizeGate:
        """Which targets are too small or too large."""
        return SizeGate(self.min_area_px, self.max_area_px)

    def ground(
        self,
        commands: Sequence[str],
        activations: Sequence[Activation],
        *,
        keep_share: float = 1.0,
    ) -> list[Grounding]:
        """Return the answers that an image's activation maps give, one for each command.

        Args:
            commands: What the maps answer.
            activations: One map for each.
            keep_share: Weak ones are kept down to this share of the least score, in (0, 1].
        """
        instances = replace(self.instances, min_score=keep_share * self.min_score)
        groundings = []
        for command, activation, targets in zip(
            commands, activations, find_instances(activations, instances), strict=True
        ):
            strong = sum(target.score >= self.min_score for target in targets)
            candidates, refused = self.size_gate.split(targets[:strong])
            weak, _ = self.size_gate.split(targets[strong:])
            groundings.append(
                Grounding(
                    command,
                    candidates,
                    activation,
                    self.max_targets,
                    refused,
                    weak,
                    self.min_score,
                )
            )
        return groundings

    def ground_smoothed(
        self,
        command: str,
        activation: Activation,
        smoother: HeatSmoother,
        *,
        image: NDArray[np.uint8],
        stamp_s: float,
    ) -> Grounding:
        """Return the answer that an image's activation map gives, smoothed.

        Args:
            command: What the map answers.
            activation: The image's own map.
            smoother: That of the images before.
            image: (H, W, 3) or (H, W) uint8.
            stamp_s: The image's, in seconds.
        """
        activation = smoother.update(activation, command=command, image=image, stamp_s=stamp_s)
        keep_share = KEEP_SHARE if smoother.seconds else 1.0
        return self.ground([command], [activation], keep_share=keep_share)[0]

    def size_for(self, model: Model) -> int:
        """Return the long side of a model's input, in pixels."""
        return self.input_size or model.trained_size or DEFAULT_INPUT_SIZE

    def letterbox(self, model: Model, height: int, width: int) -> Letterbox:
        """Return how an image of a size, in pixels, lies on a model's input."""
        if model.canvas is not None:
            return Letterbox.into((height, width), model.canvas)
        return Letterbox.fit((height, width), size=self.size_for(model), shape=self.input_shape)
