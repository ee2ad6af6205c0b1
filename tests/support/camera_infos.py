# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""CameraInfo messages to test with."""

from types import SimpleNamespace

import numpy as np


def camera_info(fx=500.0, fy=510.0, cx=320.5, cy=239.25, width=640, height=480, **changes):
    """Make the CameraInfo of a rectified camera; changes replace fields, `roi_*` those of roi."""
    roi = {'x_offset': 0, 'y_offset': 0, 'height': 0, 'width': 0, 'do_rectify': False}
    fields = {
        'height': height,
        'width': width,
        'distortion_model': 'plumb_bob',
        'd': [0.0] * 5,
        'k': [fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0],
        'r': np.eye(3).ravel().tolist(),
        'p': [fx, 0.0, cx, 0.0, 0.0, fy, cy, 0.0, 0.0, 0.0, 1.0, 0.0],
        'binning_x': 0,
        'binning_y': 0,
    }
    for name, value in changes.items():
        where = roi if name.startswith('roi_') else fields
        where[name.removeprefix('roi_')] = value
    return SimpleNamespace(**fields, roi=SimpleNamespace(**roi))
