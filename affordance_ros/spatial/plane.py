# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The surface around a pixel of a depth image: what belongs to it, and the plane that it fits."""

import cv2
import numpy as np
from numpy.typing import NDArray

_START_SIGMAS = 4.0
_TUKEY = 4.685  # 95 % efficient on Gaussian noise (Huber, Robust Statistics)
_FIT_ROUNDS = 8
# A plane needs pixels, and not all in a row: their least standard deviation across it.
_MIN_PLANE_PIXELS, _MIN_SPREAD_PX = 9, 0.6


def connected_surface(
    z: NDArray[np.float32], inside: NDArray[np.bool_], seed: tuple[int, int], *, step_m: float
) -> NDArray[np.bool_]:
    """Find the pixels that are reached from one in steps of little depth.

    Args:
        z: (h, w) float32 depth in metres; NaN where unknown.
        inside: (h, w) bool, the pixels that may belong to it.
        seed: Row and column of the pixel to start from, which is inside.
        step_m: The greatest difference of depth between neighbours, left, right, up or down.

    Returns:
        (h, w) bool.
    """
    height, width = z.shape
    # Pixels at even places, and between each two of them the link, open or not.
    links = np.zeros((2 * height - 1, 2 * width - 1), np.uint8)
    links[::2, ::2] = inside
    wide = z.astype(np.float64)  # float32 may overflow; NaN compares false: no link
    links[::2, 1::2] = inside[:, 1:] & inside[:, :-1] & (np.abs(np.diff(wide, axis=1)) <= step_m)
    links[1::2, ::2] = inside[1:] & inside[:-1] & (np.abs(np.diff(wide, axis=0)) <= step_m)
    _, labels = cv2.connectedComponents(links, connectivity=4)
    pixels = labels[::2, ::2]
    return np.asarray(inside & (pixels == pixels[seed]))


def fit_plane(
    places: NDArray[np.float64],
    z: NDArray[np.float64],
    *,
    own: float,
    noise_m: float,
    sigma_px: float,
) -> NDArray[np.float64] | None:
    """Fit a plane to pixels with depth, by least squares reweighted with Tukey's biweight.

    A plane is linear in inverse depth over a pinhole's image: 1/z = a u + b v + c.

    Args:
        places: (N, 2) float64 u, v in pixels from the place of interest.
        z: (N,) float64 depths in metres.
        own: The depth at that place in metres; the first round looks near to it, so that of two
            surfaces the place's own one is found.
        noise_m: Standard deviation of z in metres.
        sigma_px: What is nearer to the place says more of the surface there, which may bend:
            weights fall as a Gaussian of this standard deviation in pixels.

    Returns:
        (3,) a, b, c, or None where the pixels that agree are too few or all in a row.
    """
    inverse = 1.0 / z
    terms = np.column_stack([places, np.ones(len(z))])
    near = np.exp(-np.sum(places**2, axis=1) / (2.0 * sigma_px**2))
    weights = near * np.exp(-0.5 * ((z - own) / (_START_SIGMAS * noise_m)) ** 2)
    plane = np.zeros(3)
    for _ in range(_FIT_ROUNDS):
        if np.count_nonzero(weights) < _MIN_PLANE_PIXELS:
            return None
        centred = places - weights @ places / weights.sum()
        spread = np.linalg.eigvalsh((centred.T * weights) @ centred / weights.sum())[0]
        if not spread >= _MIN_SPREAD_PX**2:
            return None
        root = np.sqrt(weights)
        plane = np.linalg.lstsq(terms * root[:, None], inverse * root, rcond=None)[0]
        residuals_m = (inverse - terms @ plane) * own**2  # a small change of 1/z as one of z
        share = residuals_m / (_TUKEY * noise_m)
        weights = near * np.maximum(1.0 - share**2, 0.0) ** 2
    return np.asarray(plane)
