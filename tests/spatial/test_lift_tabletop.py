# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""3D targets on rendered scenes, whose depth is known exactly and then damaged as a camera's."""

from dataclasses import dataclass
from dataclasses import field

import numpy as np
import pytest

from affordance_ros.bag.frames import read_bag
from affordance_ros.image.letterbox import Letterbox
from affordance_ros.model.grounding import ModelConfig
from affordance_ros.predictor import Predictor
from affordance_ros.spatial.depth import DepthImage
from affordance_ros.spatial.lift import NoPoint
from affordance_ros.spatial.lift import locate
from affordance_ros.spatial.pinhole import Pinhole
from affordance_ros.targets.activation import Activation
from affordance_ros.targets.instances import find_instances
from affordance_ros_tabletop.affordances import affordances
from affordance_ros_tabletop.catalogue import load_catalogue
from affordance_ros_tabletop.rendering import render_shard
from affordance_ros_tabletop.store import StoreSettings
from tests.conftest import SAMPLES
from tests.support.depth_damage import as_depth
from tests.support.depth_damage import damage
from tests.support.tabletop_fakes import needs_rendering

MAX_OFF_SURFACE_M = 0.02
ON_REGION = 0.5  # of the true heatmap's maximum, as the evaluation's pointing game
COMMANDS = ['hold', 'drink with', 'cut with']


@dataclass
class Tally:
    """What came of all targets.

    Attributes:
        frames: How many frames were looked at.
        on_region_m: Errors of the points whose target lies on a true region.
        off_surface_m: Distances of all points from the surface that their pixel shows.
        on_holes: How many points lie where depth is unknown.
        reasons: Why others have none.
        normals_deg: Angles between normals and the exact ones, where the surface is smooth.
    """

    frames: int = 0
    on_region_m: list[float] = field(default_factory=list)
    off_surface_m: list[float] = field(default_factory=list)
    on_holes: int = 0
    reasons: list[str] = field(default_factory=list)
    normals_deg: list[float] = field(default_factory=list)

    def add(self, targets, *, exact_m, raw, pinhole, region=None):
        for target in targets:
            got = locate(target, depth=as_depth(raw), pinhole=pinhole)
            if isinstance(got, NoPoint):
                self.reasons.append(got.reason)
                continue
            row, column = round(target.y), round(target.x)
            truth = pinhole.deproject(target.x, target.y, exact_m[row, column])
            error_m = float(np.linalg.norm(got.position - truth))
            self.off_surface_m.append(error_m)
            self.on_holes += int(raw[row, column] == 0)
            normal = exact_normal(exact_m, pinhole, row, column)
            if normal is not None and got.normal is not None:
                cosine = np.clip(normal @ got.normal, -1, 1)
                self.normals_deg.append(float(np.degrees(np.arccos(cosine))))
            if region is not None and region[row, column] >= ON_REGION:
                self.on_region_m.append(error_m)

    def check(self, *, least):
        assert len(self.off_surface_m) >= least
        assert self.on_holes == 0
        assert max(self.off_surface_m) <= MAX_OFF_SURFACE_M
        # Holes are a share of the image's, and what else has no point is rare.
        others = [reason for reason in self.reasons if reason != 'hole']
        assert len(others) <= 0.03 * (len(self.reasons) + len(self.off_surface_m))


def exact_normal(exact_m, pinhole, row, column):
    """Return the normal of the exact 5x5 pixels around one, None where they jump or are cut."""
    rows, columns = np.mgrid[row - 2 : row + 3, column - 2 : column + 3]
    height, width = exact_m.shape
    if rows.min() < 0 or columns.min() < 0 or rows.max() >= height or columns.max() >= width:
        return None
    z = exact_m[rows, columns]
    if np.ptp(z) > 0.02:
        return None
    points = pinhole.deproject(columns, rows, z).reshape(-1, 3)
    normal = np.linalg.svd(points - points.mean(0))[2][2]
    return -normal * np.sign(normal @ points.mean(0))


@pytest.fixture(scope='module')
def predictor():
    return Predictor.load(ModelConfig(model='household', device='cpu'))


def targets_of(heatmap):
    """Return at most five targets of a heatmap at the image's resolution."""
    size = heatmap.shape
    heat = np.clip(heatmap.astype(np.float64), 1e-6, 1 - 1e-6)
    logits = np.log(heat / (1 - heat)).astype(np.float32)
    (targets,) = find_instances([Activation(logits, Letterbox(size, size, size, 0, 0))])
    return targets[:5]


def rendered(shards, shard):
    for index in range(shards):
        yield from render_shard(StoreSettings('test', 320, 240, 3, shard, catalogue=''), index)


def tally(frames, predictor):
    """Locate the targets of the true heatmaps, and of those that the model that ships finds."""
    catalogue, rng = load_catalogue(), np.random.default_rng(0)
    by_truth, by_model = Tally(), Tally()
    for frame in frames:
        by_truth.frames += 1
        by_model.frames += 1
        k = frame.matrix
        pinhole = Pinhole(k[0, 0], k[1, 1], k[0, 2], k[1, 2], frame.depth.shape)
        raw = damage(frame.depth, rng)
        wanted = affordances(frame, catalogue)
        predictor.set_commands([a.action for a in wanted] or ['hold'])
        found = predictor.predict_all(frame.rgb)
        for affordance, grounding in zip(wanted, found, strict=False):
            heatmap = affordance.heatmap
            targets = targets_of(heatmap)
            scene = {'exact_m': frame.depth, 'raw': raw, 'pinhole': pinhole, 'region': heatmap}
            by_truth.add(targets, **scene)
            by_model.add(grounding.targets, **scene)
    return by_truth, by_model


@needs_rendering
def test_points_on_a_few_rendered_scenes(predictor):
    by_truth, by_model = tally(rendered(1, 16), predictor)
    by_truth.check(least=75)
    by_model.check(least=30)
    assert np.median(by_truth.on_region_m) <= 0.01
    assert np.percentile(by_truth.on_region_m, 95) <= 0.03


@needs_rendering
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_points_on_100_rendered_scenes_are_right(predictor, record_property):
    for name, got in zip(('truth', 'model'), tally(rendered(5, 20), predictor), strict=True):
        errors = np.array(got.on_region_m)
        record_property(
            name,
            f'{got.frames} frames; on true regions {len(errors)} points, error median '
            f'{np.median(errors):.4f} m, 95 % {np.percentile(errors, 95):.4f} m, worst '
            f'{errors.max():.4f} m; all {len(got.off_surface_m)} points, worst '
            f'{max(got.off_surface_m):.4f} m off the surface; normals off by '
            f'{np.median(got.normals_deg):.1f} deg median, '
            f'{np.percentile(got.normals_deg, 90):.1f} deg 90 %; no point: '
            f'{ {r: got.reasons.count(r) for r in sorted(set(got.reasons))} }',
        )
        assert got.frames >= 100
        got.check(least=100)
        assert np.median(errors) <= 0.01
        assert np.percentile(errors, 95) <= 0.03
        assert np.median(got.normals_deg) <= 10


def test_points_on_the_shipped_sequence(predictor, rng):
    got = Tally()
    predictor.set_commands(COMMANDS)
    for frame in read_bag(SAMPLES / 'tabletop'):
        got.frames += 1
        depth_m = DepthImage.view(frame.depth).metres()
        pinhole = Pinhole.from_info(frame.camera_info, depth_m.shape)
        exact_m = np.nan_to_num(depth_m)
        raw = damage(exact_m, rng)
        for grounding in predictor.predict_all(frame.bgr, channels='bgr'):
            got.add(grounding.targets, exact_m=exact_m, raw=raw, pinhole=pinhole)
    assert got.frames == 40
    got.check(least=60)
