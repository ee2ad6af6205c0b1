# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The rectified pinhole camera: from a CameraInfo, between pixels and points.

Optical frame: x right, y down, z forward, in metres. Pixel centres are at integers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike
from numpy.typing import NDArray

from affordance_ros.image.ros_image import MessageError


class Region(Protocol):
    """The fields of sensor_msgs/RegionOfInterest that are read."""

    x_offset: int
    y_offset: int
    height: int
    width: int


class CameraInfoMessage(Protocol):
    """The fields of sensor_msgs/CameraInfo that are read."""

    height: int
    width: int
    distortion_model: str
    d: Sequence[float]
    k: Sequence[float]
    p: Sequence[float]
    binning_x: int
    binning_y: int
    roi: Region


class PinholeError(MessageError):
    """A camera_info can't be used, or doesn't fit the image."""


@dataclass(frozen=True)
class Pinhole:
    """A pinhole without distortion.

    Attributes:
        fx: Focal length in columns.
        fy: Focal length in rows.
        cx: Column of the optical axis.
        cy: Row of the optical axis.
        size: (height, width) of its image in pixels.
        warning: What a person should know once, if the camera_info leaves a doubt; else ''.
    """

    fx: float
    fy: float
    cx: float
    cy: float
    size: tuple[int, int]
    warning: str = ''

    @classmethod
    def from_info(cls, info: CameraInfoMessage, size: tuple[int, int]) -> 'Pinhole':
        """Read a CameraInfo.

        P is used where it is set (fx is not 0): it holds for the rectified image, and so does
        every 3D output made with it. Where the lens distorts (some d is not 0), a raw image and
        its rectified one carry the same CameraInfo, so which of the two came can't be told:
        `warning` then says to give the rectified one. Where P is not set, K is used, and refused
        if the lens distorts.

        P's last column is left alone, as in depth_image_proc: points are in the frame of the very
        camera that made the image, also where it is the right one of a stereo pair.

        Region of interest and binning are taken into account. A binned pixel's centre is the
        middle of the pixels that it was made of; image_geometry puts it on the first one's centre,
        which is (binning - 1) / 2 full pixels away.

        Args:
            info: sensor_msgs/CameraInfo, or anything with its fields.
            size: (height, width) of the image that it came with.

        Raises:
            PinholeError: If the camera is not calibrated (cause 'uncalibrated'), only K is known
                and the lens distorts ('unrectified'), or the sizes differ ('info_size').
        """
        k, p = (np.asarray(values, np.float64) for values in (info.k, info.p))
        distorts = bool(np.any(np.asarray(info.d, np.float64) != 0))
        if p.size == 12 and p[0] != 0:
            fx, fy, cx, cy = p[[0, 5, 2, 6]]
        elif distorts:
            raise PinholeError(
                'unrectified',
                f'camera_info has no P, and its lens distorts ({info.distortion_model}, d = '
                f'{_short(info.d)}): give the rectified image (image_proc) with its camera_info',
            )
        else:
            fx, fy, cx, cy = k[[0, 4, 2, 5]]
        if not (np.isfinite([fx, fy, cx, cy]).all() and fx > 0 and fy > 0):
            raise PinholeError(
                'uncalibrated',
                f'camera_info is not calibrated (fx = {fx:g}, fy = {fy:g}, cx = {cx:g}, cy = '
                f'{cy:g}): calibrate the camera, so that K and P are set',
            )
        _check_size(info, size)
        bin_x, bin_y = max(1, info.binning_x), max(1, info.binning_y)
        warning = ''
        if distorts:
            warning = (
                f'camera_info says that the lens distorts ({info.distortion_model}, d = '
                f'{_short(info.d)}): the image is taken to be rectified; if it is raw, points are '
                f'off towards its border, so give the rectified one (image_rect)'
            )
        return cls(
            float(fx / bin_x),
            float(fy / bin_y),
            float((cx - info.roi.x_offset + 0.5) / bin_x - 0.5),
            float((cy - info.roi.y_offset + 0.5) / bin_y - 0.5),
            size,
            warning,
        )

    def resized(self, size: tuple[int, int]) -> 'Pinhole':
        """Return the pinhole of the same image at another size, of the same aspect ratio.

        Args:
            size: (height, width) in pixels, such as a depth image's.

        Raises:
            PinholeError: If the aspect ratio is another, and not by rounding (cause 'depth_size').
        """
        if size == self.size:
            return self
        (height, width), (own_height, own_width) = size, self.size
        scale_x, scale_y = width / own_width, height / own_height
        # Whichever of the two was scaled, its sides were rounded by half a pixel at most.
        rounding = max(1.0, scale_x) * (0.5 / own_width + 0.5 / own_height)
        if abs(scale_x - scale_y) > rounding:
            raise PinholeError(
                'depth_size',
                f'depth of {width}x{height} pixels does not fit an image of '
                f'{own_width}x{own_height}: give depth that is registered to the image and has '
                f'its size, or the same aspect ratio',
            )
        return Pinhole(
            self.fx * scale_x,
            self.fy * scale_y,
            (self.cx + 0.5) * scale_x - 0.5,
            (self.cy + 0.5) * scale_y - 0.5,
            size,
            self.warning,
        )

    def deproject(self, x: ArrayLike, y: ArrayLike, z: ArrayLike) -> NDArray[np.float64]:
        """Return the points that pixels show.

        Args:
            x: Columns, sub-pixel.
            y: Rows.
            z: Depths along the optical axis in metres; NaN gives NaN. The three broadcast.

        Returns:
            (..., 3) float64 metres in the optical frame.
        """
        x, y, z = np.broadcast_arrays(*(np.asarray(v, np.float64) for v in (x, y, z)))
        return np.stack([(x - self.cx) / self.fx * z, (y - self.cy) / self.fy * z, z], axis=-1)

    def project(self, points: ArrayLike) -> NDArray[np.float64]:
        """Return the pixels (..., 2), x and y, of points (..., 3) before the camera (z > 0)."""
        x, y, z = np.moveaxis(np.asarray(points, np.float64), -1, 0)
        return np.stack([x / z * self.fx + self.cx, y / z * self.fy + self.cy], axis=-1)


def _check_size(info: CameraInfoMessage, size: tuple[int, int]) -> None:
    full = (info.roi.height or info.height, info.roi.width or info.width)
    expected = (full[0] // max(1, info.binning_y), full[1] // max(1, info.binning_x))
    if expected != tuple(size):
        raise PinholeError(
            'info_size',
            f'camera_info is for {expected[1]}x{expected[0]} pixels, and the image has '
            f'{size[1]}x{size[0]}: both must come from the same camera at the same size',
        )


def _short(values: Sequence[float]) -> str:
    return '[' + ', '.join(f'{value:.3g}' for value in values) + ']'
