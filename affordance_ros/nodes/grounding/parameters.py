# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The grounding node's parameters: names, ranges, and what they become."""

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import fields
from typing import Any
from typing import Literal

from rclpy.node import Node
from rclpy.parameter import Parameter

from affordance_ros.backends.base import BackendConfig
from affordance_ros.model.config import ModelConfig
from affordance_ros.nodes.declare import accept_plain_values
from affordance_ros.nodes.declare import declare_parameter
from affordance_ros.predictor import PredictorConfig
from affordance_ros.spatial.located import DepthGate
from affordance_ros.spatial.rgbd import DEPTH_TOLERANCE_S
from affordance_ros.targets.hysteresis import HysteresisConfig
from affordance_ros.targets.tracks import TrackConfig

IMAGE_TRANSPORTS = ('raw', 'compressed')
_ANY_AREA_PX = 2**31 - 1
_MODEL = ModelConfig()
_BACKEND = BackendConfig()
_PREDICTOR = PredictorConfig()
_HYSTERESIS = HysteresisConfig()
_TRACKS = TrackConfig()


@dataclass(frozen=True)
class SpatialConfig:
    """How targets get their 3D points, and what is published of them.

    Attributes:
        depth_tolerance_s: How far depth's stamp may be from the image's.
        depth_wait_s: How long an answer waits for its depth, while depth is being received.
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
    def gate(self) -> DepthGate:
        """Which targets are too small, too large, too near or too far."""
        return DepthGate(self.min_area_m2, self.max_area_m2, self.nearest_m, self.farthest_m)


_SPATIAL = SpatialConfig()


@dataclass(frozen=True)
class _Declared:
    """One parameter: default, meaning, range if it is a number, and when it may be changed.

    `start`: never; `unconfigured`: while the node is unconfigured, since configuring reads it;
    `always`: while the node runs too.
    """

    default: str | int | float | bool
    description: str
    low: float | None = None
    high: float | None = None
    settable: Literal['start', 'unconfigured', 'always'] = 'unconfigured'


_SETTABLE = {
    'start': 'set at the start',
    'unconfigured': 'read when the node is configured; may be set while it is unconfigured',
    'always': 'may be set at any time; acts on the next frame',
}
_PARAMETERS = {
    'autostart': _Declared(
        True, 'The executable configures and activates the node by itself.', settable='start'
    ),
    'allowed_dirs': _Declared(
        '',
        'Folders, separated by ":", whose files may be named while the node runs.',
        settable='start',
    ),
    'model': _Declared(
        _MODEL.model,
        'household (ships), an open_clip ResNet, compact, or an exported folder.',
    ),
    'weights': _Declared(
        _MODEL.weights, 'Trunk weights: a file, an open_clip tag, or random; empty: its own.'
    ),
    'checkpoint': _Declared(
        _MODEL.checkpoint, 'Trained neck and head; empty: the shipped one, or training-free.'
    ),
    'device': _Declared(_MODEL.device, 'auto, cpu, cuda or cuda:N.'),
    'backend': _Declared(
        _BACKEND.backend,
        'auto (the fastest that works here), torch, openvino, onnxruntime or tensorrt.',
    ),
    'precision': _Declared(
        _BACKEND.precision, 'auto (the fastest that keeps the answers), f32, f16 or bf16.'
    ),
    'cache_dir': _Declared(
        _BACKEND.cache_dir, "Keeps compiled models; empty: the user's cache; off: nowhere."
    ),
    'num_threads': _Declared(
        _BACKEND.num_threads, 'CPU threads of the model; 0: as the backend chooses.', 0, 256
    ),
    'pin_threads': _Declared(
        _BACKEND.pin_threads, "OpenVINO's threads keep to their cores, which must be free."
    ),
    'image_transport': _Declared('raw', 'raw: topic image; compressed: topic image/compressed.'),
    'input_size': _Declared(
        _PREDICTOR.input_size,
        'Long side of the model input in pixels, a multiple of 32; 0: as trained, or 320.',
        0,
        2048,
    ),
    'input_shape': _Declared(_PREDICTOR.input_shape, 'rectangle or square model input.'),
    'depth_tolerance_s': _Declared(
        _SPATIAL.depth_tolerance_s, "How far depth's stamp may be from the image's.", 0.0, 1.0
    ),
    'depth_wait_s': _Declared(
        _SPATIAL.depth_wait_s,
        'How long an answer waits for its depth, while depth is being received.',
        0.0,
        1.0,
    ),
    'target_frame': _Declared(
        _SPATIAL.target_frame, "Frame of point, pose and markers, by /tf; empty: the camera's."
    ),
    'task_command': _Declared('', 'Command in force from the start; empty: wait for the topic.'),
    'prompt_set': _Declared(
        _PREDICTOR.prompt_set,
        'Prompt set: verb, ensemble, parts, a YAML file, or auto: parts for household, else verb.',
        settable='always',
    ),
    'min_score': _Declared(
        _PREDICTOR.min_score, 'Least score of a target.', 0.0, 1.0, settable='always'
    ),
    'min_distance_px': _Declared(
        _PREDICTOR.min_distance_px,
        'Least distance between targets in pixels of the input image.',
        0.0,
        10000.0,
        settable='always',
    ),
    'max_targets': _Declared(
        _PREDICTOR.max_targets, 'How many targets at most.', 1, 1000, settable='always'
    ),
    'min_prominence': _Declared(
        _PREDICTOR.min_prominence,
        'Two hills of heat are two targets if the heat between them is lower by this share.',
        0.0,
        1.0,
        settable='always',
    ),
    'region_share': _Declared(
        _PREDICTOR.region_share,
        "Least heat of a target's region, as a share of its score.",
        0.05,
        0.95,
        settable='always',
    ),
    'min_area_px': _Declared(
        _PREDICTOR.min_area_px,
        "Least area of a target's region in pixels of the input image.",
        0,
        _ANY_AREA_PX,
        settable='always',
    ),
    'max_area_px': _Declared(
        _PREDICTOR.max_area_px, 'Greatest area; 0: any.', 0, _ANY_AREA_PX, settable='always'
    ),
    'min_area_m2': _Declared(
        _SPATIAL.min_area_m2,
        "Least area of a target's region in square metres, as seen from the camera.",
        0.0,
        100.0,
        settable='always',
    ),
    'max_area_m2': _Declared(
        _SPATIAL.max_area_m2, 'Greatest area; 0: any.', 0.0, 100.0, settable='always'
    ),
    'nearest_m': _Declared(
        _SPATIAL.nearest_m,
        "Least distance of a target: its region's median depth.",
        0.0,
        100.0,
        settable='always',
    ),
    'farthest_m': _Declared(
        _SPATIAL.farthest_m, 'Greatest distance; 0: any.', 0.0, 100.0, settable='always'
    ),
    'track_gap_s': _Declared(
        _TRACKS.gap_s,
        'A target that was not seen for longer gets a new track_id.',
        0.0,
        60.0,
        settable='always',
    ),
    'hysteresis_frames': _Declared(
        _HYSTERESIS.frames,
        'The best target gives way once beaten in so many frames in a row; 0: at once.',
        0,
        1000,
        settable='always',
    ),
    'hysteresis_margin': _Declared(
        _HYSTERESIS.margin,
        'By how much another target must beat the best one to count.',
        0.0,
        1.0,
        settable='always',
    ),
    'cloud_min_heat': _Declared(
        _SPATIAL.cloud_min_heat, 'Least heat of a point in the cloud.', 0.0, 1.0, settable='always'
    ),
    'cloud_organized': _Declared(
        _SPATIAL.cloud_organized,
        'The cloud keeps the rows and columns of the depth image.',
        settable='always',
    ),
    'cloud_best_target': _Declared(
        _SPATIAL.cloud_best_target,
        "The cloud holds the best target's region alone.",
        settable='always',
    ),
    'max_rate_hz': _Declared(
        0.0,
        'Process at most so many frames a second; 0: as many as can be.',
        0.0,
        1000.0,
        'always',
    ),
}


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
        image_transport: 'raw' or 'compressed'.
        task_command: The command in force from the start; '' for none.
        max_rate_hz: Frames a second at most; 0 for no limit.
    """

    model: ModelConfig
    backend: BackendConfig
    predictor: PredictorConfig
    spatial: SpatialConfig
    tracks: TrackConfig
    hysteresis: HysteresisConfig
    image_transport: str
    task_command: str
    max_rate_hz: float


def declare(node: Node) -> None:
    """Declare all parameters with their ranges.

    Raises:
        ValueError: If a value given at the start is of another type or out of its range.
    """
    for name, declared in _PARAMETERS.items():
        declare_parameter(
            node,
            name,
            default=declared.default,
            description=declared.description,
            low=declared.low,
            high=declared.high,
            live=declared.settable != 'start',
            settable=_SETTABLE[declared.settable],
        )
    accept_plain_values(node, {name: one.default for name, one in _PARAMETERS.items()})


def read(node: Node, changes: Sequence[Parameter] = ()) -> NodeConfig:
    """Read all parameters, as they are or as some changes would make them.

    Raises:
        ValueError: If a value can't be used; the text names it and what is allowed.
    """
    values = {name: node.get_parameter(name).value for name in _PARAMETERS}
    return _to_config({**values, **_known(changes)})


def check_each(changes: Sequence[Parameter]) -> None:
    """Check changed values by themselves, so that one wrong parameter never bars the others.

    Raises:
        ValueError: As `read`.
    """
    defaults = {name: declared.default for name, declared in _PARAMETERS.items()}
    for change in changes:
        _to_config({**defaults, **_known([change])})


def changed(node: Node, given: Iterable[Parameter]) -> list[Parameter]:
    """Return the parameters whose value is another one than they have."""
    return [
        one
        for one in given
        if one.name not in _PARAMETERS or one.value != node.get_parameter(one.name).value
    ]


def fixed_while_configured(changes: Iterable[Parameter]) -> list[str]:
    """Name the changed parameters that only configuring reads."""
    return [name for name in _known(changes) if _PARAMETERS[name].settable == 'unconfigured']


def _known(changes: Iterable[Parameter]) -> dict[str, Any]:
    return {p.name: p.value for p in changes if p.name in _PARAMETERS}


def _to_config(values: Mapping[str, Any]) -> NodeConfig:
    if values['image_transport'] not in IMAGE_TRANSPORTS:
        raise ValueError(
            f'image_transport {values["image_transport"]!r} is unknown; '
            f'known are {", ".join(IMAGE_TRANSPORTS)}'
        )
    return NodeConfig(
        model=ModelConfig(
            **{key: values[key] for key in ('model', 'weights', 'checkpoint', 'device')}
        ),
        backend=BackendConfig(**{field.name: values[field.name] for field in fields(_BACKEND)}),
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
        spatial=SpatialConfig(**{field.name: values[field.name] for field in fields(_SPATIAL)}),
        tracks=TrackConfig(gap_s=values['track_gap_s']),
        hysteresis=HysteresisConfig(
            frames=values['hysteresis_frames'], margin=values['hysteresis_margin']
        ),
        image_transport=values['image_transport'],
        task_command=values['task_command'],
        max_rate_hz=values['max_rate_hz'],
    )
