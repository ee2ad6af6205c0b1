# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest

from affordance_ros.spatial.depth import DepthImage
from affordance_ros.spatial.lift import REASONS
from affordance_ros.spatial.lift import NoPoint
from affordance_ros.spatial.lift import PointConfig
from affordance_ros.spatial.lift import SurfacePoint
from affordance_ros.spatial.lift import locate
from affordance_ros.spatial.pinhole import Pinhole
from affordance_ros.spatial.pinhole import PinholeError
from affordance_ros.targets.target import Target
from tests.support.depth_damage import as_depth
from tests.support.depth_damage import damage
from tests.support.drawn_targets import target_of

SIZE = (240, 320)
PINHOLE = Pinhole(290.0, 300.0, 160.7, 118.2, SIZE)


def plane_depth(normal, anchor, pinhole=PINHOLE):
    """Return the exact depth (H, W) float64 of a plane through a point; inf behind the camera."""
    rows, columns = np.mgrid[: pinhole.size[0], : pinhole.size[1]]
    rays = pinhole.deproject(columns, rows, 1.0)
    with np.errstate(divide='ignore'):
        z = (normal @ anchor) / (rays @ normal)
    return np.where(z > 0, z, np.inf)


def random_plane(rng, target, pinhole=PINHOLE, max_tilt_deg=60):
    """Draw a plane that the target's ray meets; return its normal and where."""
    anchor = pinhole.deproject(target.x, target.y, rng.uniform(0.35, 0.9))
    ray = anchor / np.linalg.norm(anchor)
    while True:
        normal = rng.normal(size=3)
        normal /= np.linalg.norm(normal)
        if -(normal @ ray) > np.cos(np.radians(max_tilt_deg)):
            return normal, anchor


def angle_deg(a, b):
    return np.degrees(np.arccos(np.clip(a @ b, -1, 1)))


def test_on_exact_planes_point_and_normal_are_exact(rng):
    """The reference is the ray's intersection with the plane, from which the depth was made."""
    for _ in range(100):
        target = Target(rng.uniform(0, 319), rng.uniform(0, 239), 0.8)
        normal, anchor = random_plane(rng, target)
        depth = as_depth(plane_depth(normal, anchor).astype(np.float32))
        got = locate(target, depth=depth, pinhole=PINHOLE)
        np.testing.assert_allclose(got.position, anchor, atol=1e-5)
        assert angle_deg(got.normal, normal) < 0.1


def test_on_damaged_planes_point_and_normal_are_close(rng):
    offsets, angles = [], []
    for _ in range(100):
        target = Target(rng.uniform(5, 314), rng.uniform(5, 234), 0.8)
        normal, anchor = random_plane(rng, target, max_tilt_deg=50)
        raw = damage(np.minimum(plane_depth(normal, anchor), 5.0).astype(np.float32), rng)
        got = locate(target, depth=as_depth(raw), pinhole=PINHOLE)
        if raw[round(target.y), round(target.x)] == 0:
            assert got == NoPoint('hole')
        elif isinstance(got, SurfacePoint):
            offsets.append(np.linalg.norm(got.position - anchor))
            angles.append(angle_deg(got.normal, normal))
    assert len(offsets) > 85
    assert np.median(offsets) < 0.0015 and max(offsets) < 0.006
    assert np.median(angles) < 5.0 and max(angles) < 25.0


def test_the_point_lies_on_the_targets_own_ray(rng):
    for _ in range(100):
        target = Target(rng.uniform(0, 319), rng.uniform(0, 239), 0.8)
        depth = rng.uniform(0.5, 0.506, SIZE).astype(np.float32)
        got = locate(target, depth=as_depth(depth), pinhole=PINHOLE)
        assert PINHOLE.project(got.position) == pytest.approx((target.x, target.y))


@pytest.mark.parametrize('step', [0.02, 0.05, 0.3])
def test_beside_an_edge_the_point_is_on_one_of_the_two_surfaces_never_between(rng, step):
    for _ in range(100):
        edge = int(rng.integers(100, 200))
        exact = np.full(SIZE, 0.6, np.float32)
        exact[:, edge:] += step
        raw = np.rint((exact + rng.normal(0, 0.001, SIZE)) * 1000).astype(np.uint16)
        target = Target(edge + rng.uniform(-3, 3), rng.uniform(20, 220), 0.8)
        got = locate(target, depth=as_depth(raw), pinhole=PINHOLE)
        if isinstance(got, SurfacePoint):
            own = exact[round(target.y), round(target.x)]
            assert got.position[2] == pytest.approx(own, abs=0.004)


def test_a_thin_thing_before_a_far_wall_is_found_on_itself(rng):
    exact = np.full(SIZE, 1.5, np.float32)
    exact[:, 150:153] = 0.6
    got = locate(Target(151.0, 100.0, 0.8), depth=as_depth(exact), pinhole=PINHOLE)
    assert got.position[2] == pytest.approx(0.6, abs=1e-6)
    exact[:, 150:152] = 1.5  # one column is left: a point, but no plane through it
    got = locate(Target(152.0, 100.0, 0.8), depth=as_depth(exact), pinhole=PINHOLE)
    assert got.position[2] == pytest.approx(0.6, abs=1e-6)
    assert got.normal is None


def test_pixels_outside_the_targets_region_do_not_count():
    """Beside a fold, the region says which of the two sides is meant."""
    exact = np.full(SIZE, 0.6, np.float32)
    exact[:, 150:] += 0.004 * np.arange(1, 171, dtype=np.float32)
    mask = np.broadcast_to(np.arange(320) < 150, SIZE)
    sided = target_of(149.0, 100.0, mask)
    left = locate(sided, depth=as_depth(exact), pinhole=PINHOLE)
    assert left.position[2] == pytest.approx(0.6, abs=1e-6)
    assert angle_deg(left.normal, np.array([0, 0, -1.0])) < 0.1
    for free in (Target(149.0, 100.0, 0.8), target_of(149.0, 100.0, np.ones(SIZE, bool))):
        both = locate(free, depth=as_depth(exact), pinhole=PINHOLE)
        assert angle_deg(both.normal, np.array([0, 0, -1.0])) > 3


@pytest.mark.parametrize('encoding', [np.uint16, np.float32])
def test_no_point_on_a_hole(encoding):
    exact = np.full(SIZE, 600 if encoding is np.uint16 else 0.6, encoding)
    exact[100, 150] = 0
    for x, y, hole in [(150, 100, True), (150.4, 99.6, True), (150.6, 100, False)]:
        got = locate(Target(x, y, 0.8), depth=as_depth(exact), pinhole=PINHOLE)
        assert (got == NoPoint('hole')) == hole


def test_a_region_thinner_than_depths_pixels_takes_the_surface_around_up_to_its_edges():
    depth = np.full(SIZE, 0.9, np.float32)
    depth[:, 147:154] = 0.6  # a bar before a wall
    mask = np.zeros(SIZE, bool)
    mask[100, 150] = True
    got = locate(target_of(150, 100, mask), depth=as_depth(depth), pinhole=PINHOLE)
    np.testing.assert_allclose(got.position, PINHOLE.deproject(150, 100, 0.6), atol=1e-6)


def test_a_lone_pixel_amid_a_hole_is_too_few():
    exact = np.full(SIZE, 600, np.uint16)
    exact[90:111, 140:161] = 0
    exact[100, 149:153] = 600
    got = locate(Target(150.0, 100.0, 0.8), depth=as_depth(exact), pinhole=PINHOLE)
    assert got == NoPoint('too_few')
    config = PointConfig(min_pixels=4)
    got = locate(Target(150.0, 100.0, 0.8), depth=as_depth(exact), pinhole=PINHOLE, config=config)
    assert got.position[2] == pytest.approx(0.6)


def test_a_flying_pixel_is_rough_or_too_few_and_never_a_point():
    exact = np.full(SIZE, 600, np.uint16)
    for off in (13, 16, 60, -13, -60):
        raw = exact.copy()
        raw[100, 150] = 600 + off
        got = locate(Target(150.0, 100.0, 0.8), depth=as_depth(raw), pinhole=PINHOLE)
        assert got in (NoPoint('rough'), NoPoint('too_few')), off


def test_never_farther_from_the_own_pixels_depth_than_the_limit(rng):
    """On depth that is nothing but noise, points are few, and none breaks the promise."""
    for _ in range(150):
        depth = rng.uniform(0.5, 0.5 + rng.uniform(0.01, 0.1), SIZE).astype(np.float32)
        target = Target(rng.uniform(0, 319), rng.uniform(0, 239), 0.8)
        got = locate(target, depth=as_depth(depth), pinhole=PINHOLE)
        if isinstance(got, SurfacePoint):
            own = depth[round(target.y), round(target.x)]
            assert abs(got.position[2] - own) <= 0.01
        else:
            assert got.reason in REASONS


@pytest.mark.parametrize('place', [(0, 0), (319, 239), (0, 239), (319.4, -0.4), (160, 0)])
def test_targets_on_the_border_have_points(place):
    got = locate(
        Target(*place, 0.8),
        depth=as_depth(np.full(SIZE, 0.6, np.float32)),
        pinhole=PINHOLE,
    )
    np.testing.assert_allclose(got.position, PINHOLE.deproject(*place, 0.6), atol=1e-6)


@pytest.mark.parametrize('size', [(120, 160), (480, 640), (180, 240)])
def test_depth_of_another_size_gives_the_same_point(rng, size):
    grid = PINHOLE.resized(size)
    for _ in range(50):
        target = Target(rng.uniform(10, 309), rng.uniform(10, 229), 0.8)
        normal, anchor = random_plane(rng, target)
        depth = as_depth(plane_depth(normal, anchor, grid).astype(np.float32))
        got = locate(target, depth=depth, pinhole=PINHOLE)
        np.testing.assert_allclose(got.position, anchor, atol=1e-5)
        assert angle_deg(got.normal, normal) < 0.1


def test_only_a_window_of_the_depth_is_read(monkeypatch):
    read = []
    metres = DepthImage.metres

    def counting(self, *window):
        values = metres(self, *window)
        read.append(values.size)
        return values

    monkeypatch.setattr(DepthImage, 'metres', counting)
    for z in (0.05, 0.6, 5.0):
        locate(
            Target(160.0, 120.0, 0.8),
            depth=as_depth(np.full(SIZE, z, np.float32)),
            pinhole=PINHOLE,
        )
    assert max(read) <= 41 * 41


def test_what_does_not_fit_together_is_refused():
    depth = as_depth(np.full((200, 320), 0.6, np.float32))
    with pytest.raises(PinholeError, match='320x200 pixels does not fit an image of 320x240'):
        locate(Target(1, 1, 0.8), depth=depth, pinhole=PINHOLE)


@pytest.mark.parametrize(
    ('field', 'value', 'text'),
    [
        ('radius_m', 0.0, 'radius_m 0.0 must be positive'),
        ('noise_m', -1.0, 'noise_m -1.0 must be positive'),
        ('max_offset_m', float('nan'), 'max_offset_m nan must be positive'),
        ('min_pixels', 0, 'min_pixels 0 must be at least 1'),
    ],
)
def test_a_configuration_out_of_range_is_refused(field, value, text):
    with pytest.raises(ValueError, match=text):
        PointConfig(**{field: value})


@pytest.mark.filterwarnings('error')
def test_whatever_depth_and_camera_say_a_point_is_finite_and_nothing_warns(rng):
    extremes = np.array(
        [0, 1e-45, 1e-30, 1e-5, 0.1, 0.5, 0.502, 1, 1e5, 1e30, 3e38, np.inf, -1, np.nan],
        np.float32,
    )
    seen = set()
    for number in range(1000):
        size = (int(rng.integers(1, 30)), int(rng.integers(1, 30)))
        focal, centre = 10 ** rng.uniform(-2, 4, 2), rng.uniform(-10, 40, 2)
        depth = rng.choice(rng.choice(extremes, int(rng.integers(1, 5))), size)
        if number % 3 == 0:
            depth = 10 ** rng.uniform(-3, 3) * (1 + 1e-4 * rng.normal(size=size))
        place = rng.uniform(0, size[1] - 1), rng.uniform(0, size[0] - 1)
        mask = rng.random(size) < rng.choice([0.3, 1.0])
        mask[round(place[1]), round(place[0])] = True
        got = locate(
            target_of(*place, mask),
            depth=as_depth(depth.astype(np.float32)),
            pinhole=Pinhole(*focal.tolist(), *centre.tolist(), size),
        )
        if isinstance(got, NoPoint):
            seen.add(got.reason)
            continue
        seen.add('point')
        assert np.isfinite(got.position).all()
        assert got.normal is None or np.linalg.norm(got.normal) == pytest.approx(1.0)
    assert seen == {'point', 'hole', 'too_few', 'rough'}
