# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The table of the grounding node's parameters: defaults, meanings and ranges."""

from dataclasses import dataclass
from typing import Literal

from affordance_ros.backends.base import BackendConfig
from affordance_ros.model.config import ModelConfig
from affordance_ros.nodes.grounding.node_config import SpatialConfig
from affordance_ros.predictor import PredictorConfig
from affordance_ros.targets.hysteresis import HysteresisConfig
from affordance_ros.targets.smoothing import USUAL_S
from affordance_ros.targets.tracks import TrackConfig

_ANY_AREA_PX = 2**31 - 1
_MODEL = ModelConfig()
_BACKEND = BackendConfig()
_PREDICTOR = PredictorConfig()
_SPATIAL = SpatialConfig()
_HYSTERESIS = HysteresisConfig()
_TRACKS = TrackConfig()


@dataclass(frozen=True)
class Declared:
    """One parameter: default, meaning, range if it is a number, and when it may be changed.

    `start`: never; `unconfigured`: while the node is unconfigured, since configuring reads it;
    `always`: while the node runs too.
    """

    default: str | int | float | bool
    description: str
    low: float | None = None
    high: float | None = None
    settable: Literal['start', 'unconfigured', 'always'] = 'unconfigured'


SETTABLE = {
    'start': 'set at the start',
    'unconfigured': 'read when the node is configured; may be set while it is unconfigured',
    'always': 'may be set at any time; acts on the next frame',
}
PARAMETERS = {
    'autostart': Declared(
        True, 'The executable configures and activates the node by itself.', settable='start'
    ),
    'allowed_dirs': Declared(
        '',
        'Folders, separated by ":", whose files may be named while the node runs.',
        settable='start',
    ),
    'model': Declared(
        _MODEL.model,
        'household (ships), a ResNet, plain ViT or PE-Core of open_clip, clipseg-rd64-refined, or '
        'an exported folder.',
    ),
    'weights': Declared(
        _MODEL.weights, 'Trunk weights: a file, an open_clip tag, or random; empty: its own.'
    ),
    'checkpoint': Declared(
        _MODEL.checkpoint, 'Trained neck and head; empty: the shipped one, or training-free.'
    ),
    'head': Declared(
        _MODEL.head, "Training-free head, such as maskclip or naclip; empty: the trunk's default."
    ),
    'background': Declared(
        _MODEL.background, 'What a training-free head compares with: canonical or none.'
    ),
    'device': Declared(_MODEL.device, 'auto, cpu, cuda or cuda:N.'),
    'backend': Declared(
        _BACKEND.backend,
        'auto (the fastest that works here), torch, openvino, onnxruntime or tensorrt.',
    ),
    'precision': Declared(
        _BACKEND.precision, 'auto (the fastest that keeps the answers), f32, f16 or bf16.'
    ),
    'cache_dir': Declared(
        _BACKEND.cache_dir, "Keeps compiled models; empty: the user's cache; off: nowhere."
    ),
    'num_threads': Declared(
        _BACKEND.num_threads, 'CPU threads of the model; 0: as the backend chooses.', 0, 256
    ),
    'pin_threads': Declared(
        _BACKEND.pin_threads, "OpenVINO's threads keep to their cores, which must be free."
    ),
    'image_transport': Declared('raw', 'raw: topic image; compressed: topic image/compressed.'),
    'image_bits': Declared(
        0, 'Bits in use of 16-bit images, 8 to 16; 0: the highest of the last 60 frames.', 0, 16
    ),
    'input_size': Declared(
        _PREDICTOR.input_size,
        'Long side of the model input in pixels, a multiple of 32; 0: as trained, or 320.',
        0,
        2048,
    ),
    'input_shape': Declared(_PREDICTOR.input_shape, 'rectangle or square model input.'),
    'depth_tolerance_s': Declared(
        _SPATIAL.depth_tolerance_s, "How far depth's stamp may be from the image's.", 0.0, 1.0
    ),
    'depth_wait_s': Declared(
        _SPATIAL.depth_wait_s,
        'How long an answer waits for its depth, while depth is being received.',
        0.0,
        1.0,
    ),
    'max_depth_m': Declared(
        _SPATIAL.max_depth_m,
        'Depth beyond it is unknown, and an image whose median is gets no points; 0: no limit.',
        0.0,
        1000.0,
    ),
    'allow_other_frames': Declared(
        _SPATIAL.allow_other_frames,
        'Image, depth and camera_info may have different frame_ids.',
    ),
    'target_frame': Declared(
        _SPATIAL.target_frame, "Frame of point, pose and markers, by /tf; empty: the camera's."
    ),
    'task_command': Declared('', 'Command in force from the start; empty: wait for the topic.'),
    'prompt_set': Declared(
        _PREDICTOR.prompt_set,
        'Prompt set: verb, ensemble, parts, a YAML file, or auto: parts for household, else verb.',
        settable='always',
    ),
    'min_score': Declared(
        _PREDICTOR.min_score, 'Minimum score of a target.', 0.0, 1.0, settable='always'
    ),
    'min_distance_px': Declared(
        _PREDICTOR.min_distance_px,
        'Minimum distance between targets in pixels of the input image.',
        0.0,
        10000.0,
        settable='always',
    ),
    'max_targets': Declared(
        _PREDICTOR.max_targets, 'Maximum number of targets.', 1, 1000, settable='always'
    ),
    'min_prominence': Declared(
        _PREDICTOR.min_prominence,
        'Two hills of heat are two targets if the heat between them is lower by this share.',
        0.0,
        1.0,
        settable='always',
    ),
    'region_share': Declared(
        _PREDICTOR.region_share,
        "Minimum heat of a target's region, as a share of its score.",
        0.05,
        0.95,
        settable='always',
    ),
    'min_area_px': Declared(
        _PREDICTOR.min_area_px,
        "Minimum area of a target's region in pixels of the input image.",
        0,
        _ANY_AREA_PX,
        settable='always',
    ),
    'max_area_px': Declared(
        _PREDICTOR.max_area_px, 'Maximum area; 0: any.', 0, _ANY_AREA_PX, settable='always'
    ),
    'min_area_m2': Declared(
        _SPATIAL.min_area_m2,
        "Minimum area of a target's region in square metres, as seen from the camera.",
        0.0,
        100.0,
        settable='always',
    ),
    'max_area_m2': Declared(
        _SPATIAL.max_area_m2, 'Maximum area; 0: any.', 0.0, 100.0, settable='always'
    ),
    'nearest_m': Declared(
        _SPATIAL.nearest_m,
        "Minimum distance of a target: its region's median depth.",
        0.0,
        100.0,
        settable='always',
    ),
    'farthest_m': Declared(
        _SPATIAL.farthest_m, 'Maximum distance; 0: any.', 0.0, 100.0, settable='always'
    ),
    'track_gap_s': Declared(
        _TRACKS.gap_s,
        'A target that was not seen for longer gets a new track_id.',
        0.0,
        60.0,
        settable='always',
    ),
    'hysteresis_frames': Declared(
        _HYSTERESIS.frames,
        'The best target gives way once beaten in so many frames in a row; 0: at once.',
        0,
        1000,
        settable='always',
    ),
    'hysteresis_margin': Declared(
        _HYSTERESIS.margin,
        'By how much another target must beat the best one to count.',
        0.0,
        1.0,
        settable='always',
    ),
    'heat_smoothing_s': Declared(
        USUAL_S,
        'Average heat over this many seconds of images, following the motion; 0: off.',
        0.0,
        60.0,
        settable='always',
    ),
    'cloud_min_heat': Declared(
        _SPATIAL.cloud_min_heat,
        'Minimum heat of a point in the cloud.',
        0.0,
        1.0,
        settable='always',
    ),
    'cloud_organized': Declared(
        _SPATIAL.cloud_organized,
        'The cloud keeps the rows and columns of the depth image.',
        settable='always',
    ),
    'cloud_best_target': Declared(
        _SPATIAL.cloud_best_target,
        "The cloud holds the best target's region alone.",
        settable='always',
    ),
    'max_rate_hz': Declared(
        0.0,
        'Process at most so many frames a second; 0: as many as can be.',
        0.0,
        1000.0,
        'always',
    ),
}
