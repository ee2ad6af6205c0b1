# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Checks on depth and camera_info that look right by their fields and give wrong points.

Sensors don't say their range, unit or registration in a message, so these are limits on what is
likely, and each can be lifted.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from affordance_ros.image.ros_image import MessageError
from affordance_ros.spatial.depth import DepthError
from affordance_ros.spatial.depth import DepthImage
from affordance_ros.spatial.pinhole import CameraInfoMessage
from affordance_ros.spatial.pinhole import PinholeError

_NEAREST_M = 0.01  # depth in metres written as whole millimetres has a median of 0.001 m
_OFF_CENTRE = 0.25  # share of the image's side; calibrated cameras stay below 0.1
_SAMPLES = 64  # rows and columns that the median is taken over
# In the wrong byte order neighbouring pixels of one surface differ by hundreds of units.
_ROUGH_UNITS, _SMOOTHER = 32, 8


@dataclass(frozen=True)
class RgbdChecks:
    """What depth must satisfy for targets to get points.

    Attributes:
        max_depth_m: Depth beyond it counts as unknown, and an image whose median lies beyond is
            refused; 0 for no limit.
        allow_other_frames: Whether image, depth and camera_info may have different frame_ids, for
            a camera that is known to name one optical frame in several ways.
    """

    max_depth_m: float = 20.0
    allow_other_frames: bool = False

    def __post_init__(self) -> None:
        """Refuse a limit below 0."""
        if not self.max_depth_m >= 0:
            raise ValueError(f'max_depth_m {self.max_depth_m} must not be negative')


class FrameIdError(MessageError):
    """Image, depth and camera_info are not of one frame."""


def frame_of(message: Any) -> str:
    """Return a message's frame_id without tf1's leading slash; '' where it has none."""
    return str(getattr(getattr(message, 'header', None), 'frame_id', '')).removeprefix('/')


def check_frames(image: str, depth: str, info: str) -> None:
    """Refuse depth or camera_info of another frame than the image's; '' is any frame.

    Raises:
        FrameIdError: With cause 'depth_frame' or 'info_frame'.
    """
    if depth and image and depth != image:
        raise FrameIdError(
            'depth_frame',
            f'depth is in frame {depth!r} and the image in {image!r}: register depth to the image '
            f'(align_depth of the driver, or depth_image_proc register), or set '
            f'allow_other_frames if the two are one frame',
        )
    other = image or depth
    if info and other and info != other:
        raise FrameIdError(
            'info_frame',
            f'camera_info is of frame {info!r} and the image of {other!r}: give the camera_info '
            f"of the image's camera, or set allow_other_frames if the two are one frame",
        )


def check_depth(depth: DepthImage, *, max_depth_m: float) -> None:
    """Refuse depth in another unit or byte order than its message says.

    Raises:
        DepthError: With cause 'byte_order' or 'implausible_depth'.
    """
    raw = depth.raw
    if raw.dtype.kind == 'u' and _is_swapped(raw):
        raise DepthError(
            'byte_order',
            'depth is smooth only in the other byte order: is_bigendian is set wrong by the '
            'camera driver',
        )
    rows, columns = (max(1, side // _SAMPLES) for side in raw.shape)
    sample = DepthImage(raw[::rows, ::columns], depth.unit_m).metres()
    known = sample[np.isfinite(sample)]
    if not known.size:
        return
    median = float(np.median(known))
    if median < _NEAREST_M or 0 < max_depth_m < median:
        raise DepthError(
            'implausible_depth',
            f'the median depth is {median:.4g} m, and {_NEAREST_M:g} to {max_depth_m:g} m are '
            f'plausible: 16UC1 must be millimetres and 32FC1 metres, in the byte order that '
            f'is_bigendian says; for a scene so far away raise max_depth_m (0: no limit)',
        )


def check_centre(info: CameraInfoMessage) -> None:
    """Refuse a camera_info whose optical axis is far off the sensor's centre.

    That is what intrinsics of another image size look like.

    Raises:
        PinholeError: With cause 'off_centre'.
    """
    p = np.asarray(info.p, np.float64)
    centre = p[[2, 6]] if p.size == 12 and p[0] != 0 else np.asarray(info.k, np.float64)[[2, 5]]
    sides = np.array([info.width, info.height], np.float64)
    if (np.abs(centre - (sides - 1) / 2) > _OFF_CENTRE * sides).any():
        raise PinholeError(
            'off_centre',
            f'camera_info puts the optical axis at ({centre[0]:g}, {centre[1]:g}) of '
            f'{info.width}x{info.height} pixels, far off the centre: its K and P are of another '
            f'image size; calibrate or scale them to this one',
        )


def _is_swapped(raw: np.ndarray) -> bool:
    rows = raw[:: max(1, raw.shape[0] // _SAMPLES)]
    known = (rows[:, 1:] != 0) & (rows[:, :-1] != 0)

    def roughness(words: np.ndarray) -> float:
        steps = np.abs(np.diff(words.astype(np.int32), axis=1))[known]
        return float(np.median(steps)) if steps.size else 0.0

    own = roughness(rows)
    return own >= _ROUGH_UNITS and _SMOOTHER * roughness(rows.byteswap()) < own
