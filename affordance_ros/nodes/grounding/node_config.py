# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What the grounding node's parameters become."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import fields
from typing import Any

from affordance_ros.backends.base import BackendConfig
from affordance_ros.image.bit_depth import BitDepth
from affordance_ros.model.config import ModelConfig
from affordance_ros.predictor import PredictorConfig
from affordance_ros.spatial.located import DepthGate
from affordance_ros.spatial.plausible import RgbdChecks
from affordance_ros.spatial.rgbd import DEPTH_TOLERANCE_S
from affordance_ros.targets.hysteresis import HysteresisConfig
from affordance_ros.targets.tracks import TrackConfig

IMAGE_TRANSPORTS = ('raw', 'compressed')


@dataclass(frozen=True)
class SpatialConfig:
    """How targets get their 3D points, and what is published of them.

    Attributes:
        depth_tolerance_s: How far depth's stamp may be from the image's.
        depth_wait_s: How long an answer waits for its depth, while depth is being received.
        max_depth_m: See `RgbdChecks`, as for the next one.
        allow_other_frames: Whether frame_ids may differ.
        target_frame: The frame of point, pose and markers; '' for the camera's.
        cloud_min_heat: Points with less heat are left out of the cloud; 0 keeps the whole scene.
        cloud_organized: Whether the cloud keeps the rows and columns of the depth image.
        cloud_best_target: Whether the cloud holds the best target's region alone.
        min_area_m2: See `DepthGate`, as for the next three.
        max_area_m2: The greatest area.
        nearest_m: The least distance.
        farthest_m: The greatest distance.
    """

    depth_tolerance_s: float = DEPTH_TOLERANCE_S
    depth_wait_s: float = 0.05
    max_depth_m: float = RgbdChecks().max_depth_m
    allow_other_frames: bool = RgbdChecks().allow_other_frames
    target_frame: str = ''
    cloud_min_heat: float = 0.0
    cloud_organized: bool = True
    cloud_best_target: bool = False
    min_area_m2: float = 0.0
    max_area_m2: float = 0.0
    nearest_m: float = 0.0
    farthest_m: float = 0.0

    def __post_init__(self) -> None:
        """Refuse gates that nothing passes."""
        _ = self.gate

    @property
    def checks(self) -> RgbdChecks:
        """What depth must satisfy."""
        return RgbdChecks(self.max_depth_m, self.allow_other_frames)

    @property
    def gate(self) -> DepthGate:
        """Which targets are too small, too large, too near or too far."""
        return DepthGate(self.min_area_m2, self.max_area_m2, self.nearest_m, self.farthest_m)


@dataclass(frozen=True)
class NodeConfig:
    """What the parameters say.

    Attributes:
        model: Which model to load.
        backend: What runs it.
        predictor: How to use it.
        spatial: Targets in 3D.
        tracks: When a target is one that was seen before.
        hysteresis: How the best target is held.
        heat_smoothing_s: See `HeatSmoother`.
        image_transport: 'raw' or 'compressed'.
        image_bits: Bits in use of 16-bit images; 0 to see them from the frames.
        task_command: The command in force from the start; '' for none.
        max_rate_hz: Frames a second at most; 0 for no limit.
    """

    model: ModelConfig
    backend: BackendConfig
    predictor: PredictorConfig
    spatial: SpatialConfig
    tracks: TrackConfig
    hysteresis: HysteresisConfig
    heat_smoothing_s: float
    image_transport: str
    image_bits: int
    task_command: str
    max_rate_hz: float


def to_config(values: Mapping[str, Any]) -> NodeConfig:
    """Build the configuration from all parameters' values, by name.

    Raises:
        ValueError: If a value can't be used; the text names it and what is allowed.
    """
    BitDepth(values['image_bits'])
    if values['image_transport'] not in IMAGE_TRANSPORTS:
        raise ValueError(
            f'image_transport {values["image_transport"]!r} is unknown; '
            f'known are {", ".join(IMAGE_TRANSPORTS)}'
        )
    return NodeConfig(
        model=ModelConfig(**{one.name: values[one.name] for one in fields(ModelConfig)}),
        backend=BackendConfig(**{one.name: values[one.name] for one in fields(BackendConfig)}),
        predictor=PredictorConfig(
            **{
                key: values[key]
                for key in (
                    'input_size',
                    'input_shape',
                    'prompt_set',
                    'min_score',
                    'min_prominence',
                    'region_share',
                    'min_distance_px',
                    'min_area_px',
                    'max_area_px',
                    'max_targets',
                )
            }
        ),
        spatial=SpatialConfig(**{one.name: values[one.name] for one in fields(SpatialConfig)}),
        tracks=TrackConfig(gap_s=values['track_gap_s']),
        hysteresis=HysteresisConfig(
            frames=values['hysteresis_frames'], margin=values['hysteresis_margin']
        ),
        heat_smoothing_s=values['heat_smoothing_s'],
        image_transport=values['image_transport'],
        image_bits=values['image_bits'],
        task_command=values['task_command'],
        max_rate_hz=values['max_rate_hz'],
    )
