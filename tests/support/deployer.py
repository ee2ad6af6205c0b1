# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""examples/deploy.py held against the predictor, on all sample photos, upright and across."""

import runpy

import numpy as np

from tests.conftest import ROOT

COMMANDS = ('hold the mug', 'cut')


def largest_deployed_error(folder, predictor, photos):
    """Return the largest difference of the example's heat from the predictor's."""
    ground = runpy.run_path(str(ROOT / 'examples' / 'deploy.py'))['ground']
    images = [*photos.values()]
    images += [np.ascontiguousarray(image.transpose(1, 0, 2)) for image in images[:3]]
    images += [np.ascontiguousarray(images[0][:90]), np.ascontiguousarray(images[1][:40, :60])]
    errors = []
    for number, image in enumerate(images):
        command = COMMANDS[number % len(COMMANDS)]
        predictor.set_command(command)
        expected = predictor.predict(image, channels='bgr').heatmap
        found = ground(folder, image, command)
        assert found.shape == image.shape[:2] and np.ptp(expected) > 0
        errors.append(np.abs(found - expected).max())
    return max(errors)
