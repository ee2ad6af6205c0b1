# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Heat averaged over images, and carried along with what they show."""

import math

import cv2
import numpy as np
import pytest

from affordance_ros.image.letterbox import Letterbox
from affordance_ros.sources import open_source
from affordance_ros.targets.activation import Activation
from affordance_ros.targets.activation import sigmoid
from affordance_ros.targets.smoothing import HeatSmoother
from tests.conftest import SAMPLES

SIZE = (240, 320)


@pytest.fixture
def wall(rng):
    """Return a wide texture to look at, (400, 600, 3) uint8."""
    coarse = rng.integers(0, 256, (40, 60, 3), np.uint8)
    return cv2.resize(coarse, (600, 400), interpolation=cv2.INTER_CUBIC)


def view(wall, x, y=80):
    return np.ascontiguousarray(wall[y : y + SIZE[0], x : x + SIZE[1]])


def map_of(heat, box):
    heat = np.clip(heat, 1e-6, 1 - 1e-6)
    return Activation(np.log(heat / (1 - heat)).astype(np.float32), box)


def bump(box, x, y, *, high=0.8):
    """Return a map with a Gaussian of heat at a place in the image."""
    height, width = (side // 8 for side in box.canvas)
    rows, columns = np.mgrid[:height, :width]
    scale = box.inner[1] / box.source[1]
    at_x = ((x + 0.5) * scale + box.left) / 8 - 0.5
    at_y = ((y + 0.5) * scale + box.top) / 8 - 0.5
    return map_of(high * np.exp(-((columns - at_x) ** 2 + (rows - at_y) ** 2) / 8), box)


def boxes():
    return [
        Letterbox.fit(SIZE, size=320, shape='rectangle'),
        Letterbox.fit(SIZE, size=256, shape='square'),
    ]


def test_nothing_is_changed_while_it_is_off(wall):
    activation = bump(boxes()[0], 100, 100)
    smoother = HeatSmoother(0.0)
    for stamp_s in (0.0, 0.1):
        found = smoother.update(activation, command='a', image=view(wall, 0), stamp_s=stamp_s)
        assert found is activation


def test_a_camera_that_stands_gives_the_average_over_time(wall, rng):
    """Against the weighted mean, written out: what is seen first counts as seen for 0.8 s."""
    box, smoother = boxes()[0], HeatSmoother(0.5)
    stamps = [3.0, 3.1, 3.3, 4.0]
    heats = rng.uniform(0.05, 0.95, (4, box.canvas[0] // 8, box.canvas[1] // 8))
    for k, stamp_s in enumerate(stamps):
        found = smoother.update(
            map_of(heats[k], box), command='a', image=view(wall, 0), stamp_s=stamp_s
        )
        lasted = [0.8, *np.diff(stamps[: k + 1])]
        weights = [math.exp((t - stamp_s) / 0.5) * s for t, s in zip(stamps, lasted, strict=False)]
        expected = np.average(heats[: k + 1], axis=0, weights=weights)
        seen = np.abs(sigmoid(found.logits) - expected)[1:-1]  # the first and last row are border
        assert seen.max() < 2e-3


def test_the_same_image_again_has_the_same_heat_to_the_last_digit(wall, rng):
    box, smoother = boxes()[0], HeatSmoother(3.0)
    logits = rng.normal(0.0, 4.0, (box.canvas[0] // 8, box.canvas[1] // 8)).astype(np.float32)
    for k in range(5):
        found = smoother.update(
            Activation(logits, box), command='a', image=view(wall, 0), stamp_s=0.1 * k
        )
        assert np.array_equal(found.logits, logits)


def test_a_pause_gives_no_image_more_weight_than_the_first_has(wall):
    box, smoother = boxes()[0], HeatSmoother(3.0)
    stamps = [0.0, 0.1, 60.0, 60.8]
    for stamp_s, heat in zip(stamps, (0.2, 0.2, 0.8, 0.2), strict=True):
        flat = map_of(np.full((box.canvas[0] // 8, box.canvas[1] // 8), heat), box)
        found = smoother.update(flat, command='a', image=view(wall, 0), stamp_s=stamp_s)
    older = math.exp(-0.8 / 3.0)
    expected = (0.8 * older + 0.2) / (older + 1.0)
    np.testing.assert_allclose(sigmoid(found.logits)[1:-1], expected, atol=1e-3)


@pytest.mark.parametrize('box', boxes())
def test_heat_goes_along_with_what_moves(box, wall):
    """A camera that turns by 66 pixels: the average is where the heat is, and hardly flatter."""
    smoother = HeatSmoother(2.0)
    for k in range(12):
        x = 230 - 6 * k
        activation = bump(box, x, 120)
        found = smoother.update(
            activation, command='a', image=view(wall, 20 + 6 * k), stamp_s=0.1 * k
        )
    assert np.abs(sigmoid(found.logits) - sigmoid(activation.logits)).max() < 0.2
    tops = [np.unravel_index(one.logits.argmax(), one.logits.shape) for one in (found, activation)]
    assert math.dist(*tops) <= 1.0
    assert sigmoid(found.logits).max() > 0.7


@pytest.mark.parametrize('rate_hz', [5, 30, 60])
@pytest.mark.parametrize('speed_px', [5, 20])
def test_heat_does_not_trail_behind_whatever_the_rate(speed_px, rate_hz, wall):
    """Slow motion is a small part of a pixel from image to image."""
    box, smoother = boxes()[0], HeatSmoother(3.0)
    for k in range(3 * rate_hz):
        moved = speed_px * k / rate_hz
        shift = np.float32([[1, 0, -20 - moved], [0, 1, -80]])
        image = cv2.warpAffine(wall, shift, SIZE[::-1], flags=cv2.INTER_CUBIC)
        activation = bump(box, 200 - moved, 120)
        found = smoother.update(activation, command='a', image=image, stamp_s=k / rate_hz)
    tops = [np.unravel_index(one.logits.argmax(), one.logits.shape) for one in (found, activation)]
    assert math.dist(*tops) <= 1.0
    assert np.abs(sigmoid(found.logits) - sigmoid(activation.logits)).max() < 0.1


@pytest.mark.parametrize('box', boxes())
@pytest.mark.parametrize(('place', 'to'), [((315, 120), (16, 80)), ((160, 4), (0, 64))])
def test_what_comes_into_view_is_hot_at_once(box, place, to, wall):
    """From the right and from above, also where the canvas has a border there."""
    smoother = HeatSmoother(5.0)
    smoother.update(bump(box, 0, 0, high=0.0), command='a', image=view(wall, 0), stamp_s=0.0)
    hot = bump(box, *place)
    found = smoother.update(hot, command='a', image=view(wall, *to), stamp_s=0.1)
    assert sigmoid(found.logits).flat[hot.logits.argmax()] > 0.6
    middle = bump(box, 160, 120)
    found = smoother.update(middle, command='a', image=view(wall, *to), stamp_s=0.2)
    assert sigmoid(found.logits).flat[middle.logits.argmax()] < 0.1


def test_a_camera_that_leaps_about_the_same_scene_begins_anew():
    """From the shipped sequence's end to its beginning, as in a loop; not from image to image."""
    frames = [frame.bgr for frame in open_source(str(SAMPLES / 'tabletop'), loop=False)]
    box = Letterbox.fit(frames[0].shape[:2], size=256, shape='rectangle')
    first, second = bump(box, 100, 100), bump(box, 300, 250)
    for before, now, leaps in ((0, 1, False), (10, 11, False), (-1, 0, True), (30, 3, True)):
        smoother = HeatSmoother(5.0)
        smoother.update(first, command='a', image=frames[before], stamp_s=0.0)
        found = smoother.update(second, command='a', image=frames[now], stamp_s=0.1)
        assert (np.abs(sigmoid(found.logits) - sigmoid(second.logits)).max() < 1e-6) == leaps


@pytest.mark.parametrize('step', [0, 4])  # pixels by which the camera moves from image to image
@pytest.mark.parametrize('box', boxes())
def test_what_is_put_there_or_taken_away_acts_at_once(box, step, wall):
    smoother = HeatSmoother(5.0)

    def show(k, *, thing):
        image = view(wall, 40 + step * k)
        x = 160 - step * k
        if thing:
            cv2.circle(image, (x, 120), 24, (20, 220, 20), -1)
        activation = bump(box, x, 120, high=0.8 if thing else 0.0)
        found = smoother.update(activation, command='a', image=image, stamp_s=0.1 * k)
        at = bump(box, x, 120).logits.argmax()
        return sigmoid(found.logits).flat[at], sigmoid(activation.logits).flat[at]

    shown = [show(k, thing=4 <= k < 8) for k in range(12)]
    assert [own > 0.5 for _, own in shown] == [4 <= k < 8 for k in range(12)]
    np.testing.assert_allclose(*np.transpose(shown), atol=0.1)


@pytest.mark.parametrize(('gain', 'offset'), [(1.4, 0), (1.0, 45)])
def test_a_camera_that_adapts_its_exposure_sees_the_same_things(gain, offset, wall):
    box, smoother = boxes()[0], HeatSmoother(5.0)
    dark = view(wall, 0) * 0.6
    for k, image in enumerate((dark, dark, dark * gain + offset)):
        found = smoother.update(
            bump(box, 160, 120, high=0.8 if k < 2 else 0.0),
            command='a',
            image=np.clip(image, 0, 255).astype(np.uint8),
            stamp_s=0.1 * k,
        )
    assert sigmoid(found.logits).max() > 0.6


@pytest.mark.parametrize('change', ['command', 'stamp', 'same stamp', 'scene', 'size', 'seconds'])
def test_it_begins_anew(change, wall):
    first, second = (bump(boxes()[0], x, 120) for x in (60, 240))
    smoother = HeatSmoother(5.0)
    smoother.update(first, command='a', image=view(wall, 0), stamp_s=1.0)
    asked = {'command': 'a', 'image': view(wall, 0), 'stamp_s': 1.1}
    if change == 'command':
        asked['command'] = 'b'
    elif change.endswith('stamp'):
        asked['stamp_s'] = 0.9 if change == 'stamp' else 1.0
    elif change == 'scene':
        asked['image'] = np.zeros((*SIZE, 3), np.uint8)
        asked['image'][:, 160:] = 255
    elif change == 'size':
        second = bump(boxes()[1], 240, 120)
    else:
        smoother.seconds = 0.0
        smoother.update(first, **asked)
        smoother.seconds, asked['stamp_s'] = 5.0, 1.2
    found = smoother.update(second, **asked)
    assert np.abs(sigmoid(found.logits) - sigmoid(second.logits)).max() < 1e-5


def test_times_that_make_no_sense_are_refused():
    for seconds in (-1.0, math.inf, math.nan):
        with pytest.raises(ValueError, match='heat_smoothing_s'):
            HeatSmoother(seconds)
