# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The metrics, against float64 references written from the published formulas."""

import subprocess
import sys

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from affordance_ros_eval.bilinear import resize_as_torch
from affordance_ros_eval.metrics import PROTOCOLS
from affordance_ros_eval.metrics import MapError
from affordance_ros_eval.metrics import TruthError
from affordance_ros_eval.metrics import evaluate_pair
from tests.conftest import ROOT
from tests.support.metric_reference import CASES
from tests.support.metric_reference import SHAPES
from tests.support.metric_reference import case
from tests.support.metric_reference import reference
from tests.support.metric_reference import shrink


@pytest.mark.parametrize('protocol', PROTOCOLS)
def test_scores_equal_an_independent_float64_reference(protocol):
    """Relative to the value; an NSS near 0, where terms of size 1 cancel, relative to 0.1."""
    least = {'kld': 1e-12, 'sim': 1e-12, 'nss': 0.1}
    for number in range(CASES):
        raw, gt = case(number)
        found, expected = evaluate_pair(raw, gt, protocol=protocol), reference(raw, gt, protocol)
        for name, value in expected.items():
            error = abs(found[name] - value) / max(abs(value), least[name])
            assert error <= 1e-6, (number, name, found[name], value)


@pytest.mark.parametrize('protocol', PROTOCOLS)
def test_the_fast_form_gives_the_scores_of_the_published_one(protocol):
    chosen = PROTOCOLS[protocol]
    pairs = [case(number) for number in range(0, CASES, 4)]
    pairs += [(case(1)[0], case(1)[1] * 0), (np.full((50, 70), 3, np.float32), case(1)[1])]
    pairs.append((case(1)[0], np.full((60, 80), 77, np.uint8)))
    with np.errstate(divide='ignore', invalid='ignore'):
        for number, (raw, gt) in enumerate(pairs):
            found, expected = chosen.fast(raw, gt), chosen.published(raw, gt)
            assert found == pytest.approx(expected, rel=1e-9, abs=1e-9, nan_ok=True), number


def test_float32_sums_as_published_differ_by_less_than_a_millionth():
    """The published code sums in the map's own float32."""
    for number in range(0, CASES, 4):
        raw, gt = case(number)
        p = raw if raw.shape == (224, 224) else cv2.resize(raw, (224, 224))
        g = gt / 255.0 if gt.shape == (224, 224) else cv2.resize(gt / 255.0, (224, 224))
        p = (p - p.min()) / (p.max() - p.min() + 1e-10)
        assert p.dtype == np.float32
        mass, truth = p / (p.sum() + 1e-12), g / (g.sum() + 1e-12)
        fixated = (g - g.min()) / (g.max() - g.min() + 1e-12) > 0.1
        z = (p / 255.0 - np.mean(p / 255.0)) / np.std(p / 255.0)
        published = {
            'kld': np.sum(truth * np.log(truth / (mass + 1e-12) + 1e-12)),
            'sim': np.sum(np.minimum(mass, truth)),
            'nss': np.sum(z * fixated.astype(np.float64)) / np.sum(fixated + 1e-12),
        }
        assert evaluate_pair(raw, gt) == pytest.approx(published, abs=1e-6), number


@pytest.mark.parametrize('protocol', ['locate', 'ooal', 'cross-view-ag', 'cross-view-ag-plus'])
def test_min_max_makes_the_maps_scale_irrelevant(protocol):
    raw, gt = case(1)
    plain = evaluate_pair(raw, gt, protocol=protocol)
    scaled = evaluate_pair(raw * np.float32(4) + np.float32(2), gt, protocol=protocol)
    assert scaled == pytest.approx(plain, rel=1e-5)


def test_softmax_does_not_make_the_maps_scale_irrelevant():
    raw, gt = case(1)
    assert evaluate_pair(raw * 4, gt, protocol='plsp')['kld'] != pytest.approx(
        evaluate_pair(raw, gt, protocol='plsp')['kld'], rel=1e-2
    )


@pytest.mark.parametrize('protocol', ['locate', 'ooal', 'cross-view-ag', 'cross-view-ag-plus'])
def test_an_all_zero_truth_scores_zero_and_counts(protocol):
    zero = np.zeros((60, 80), np.uint8)
    assert evaluate_pair(case(0)[0], zero, protocol=protocol) == {'kld': 0, 'sim': 0, 'nss': 0}


def test_plsp_takes_a_uniform_truth_for_an_all_zero_one():
    raw = case(1)[0]
    found = evaluate_pair(raw, np.zeros((60, 80), np.uint8), protocol='plsp')
    uniform = reference(raw, np.full((60, 80), 9, np.uint8), 'plsp')
    assert found == pytest.approx(uniform, rel=1e-6)
    assert found['nss'] == 0.0  # nothing of a constant map is fixated


@pytest.mark.parametrize('protocol', ['locate', 'cross-view-ag-plus'])
def test_a_constant_map_is_empty_to_min_max_and_has_no_nss(protocol):
    gt = case(1)[1]
    found = evaluate_pair(np.full((50, 70), 0.3, np.float32), gt, protocol=protocol)
    truth = shrink(gt / 255.0, (224, 224) if protocol == 'locate' else gt.shape).ravel()
    truth = truth[truth > 0] / truth.sum()
    assert found['kld'] == pytest.approx((truth * np.log(truth / 1e-12)).sum(), rel=1e-6)
    assert found['sim'] == 0.0
    assert np.isnan(found['nss'])


def test_a_constant_map_has_nss_zero_in_ooal():
    found = evaluate_pair(np.full((50, 70), 0.3, np.float32), case(1)[1], protocol='ooal')
    assert found['nss'] == 0.0
    assert found['sim'] == 0.0


def test_a_constant_map_has_no_score_in_cross_view_ag():
    found = evaluate_pair(np.ones((50, 70), np.float32), case(1)[1], protocol='cross-view-ag')
    assert all(np.isnan(value) for value in found.values())


def test_a_constant_map_is_uniform_in_plsp():
    gt = case(1)[1]
    found = evaluate_pair(np.ones((50, 70), np.float32), gt, protocol='plsp')
    truth = shrink(gt, (224, 224), single=True).ravel()
    truth /= truth.sum()
    assert found['sim'] == pytest.approx(np.minimum(truth, 1 / truth.size).sum(), rel=1e-6)
    assert np.isnan(found['nss'])


def test_a_constant_truth_has_nothing_fixated():
    gt = np.full((60, 80), 77, np.uint8)
    for protocol in PROTOCOLS:
        assert evaluate_pair(case(0)[0], gt, protocol=protocol)['nss'] == 0.0


def test_the_threshold_is_strict_but_for_plsp():
    """A pixel at exactly a tenth of the range: `>` leaves it out, plsp's `>=` takes it in."""
    raw = np.zeros((224, 224), np.float32)
    raw[0, :7] = np.arange(1, 8) / 7
    gt = np.zeros((224, 224), np.uint8)
    gt[100, 100], gt[0, 5] = 250, 25
    alone = gt.copy()
    alone[0, 5] = 0
    for protocol in ('locate', 'ooal', 'cross-view-ag', 'cross-view-ag-plus'):
        assert evaluate_pair(raw, gt, protocol=protocol)['nss'] == pytest.approx(
            evaluate_pair(raw, alone, protocol=protocol)['nss'], rel=1e-9
        )
    assert evaluate_pair(raw, gt, protocol='plsp')['nss'] > 1
    assert evaluate_pair(raw, alone, protocol='plsp')['nss'] < 0


def test_a_perfect_map_scores_best():
    gt = case(1)[1]
    found = evaluate_pair((gt / 255).astype(np.float32), gt)
    assert found['kld'] == pytest.approx(0, abs=1e-6)
    assert found['sim'] == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize('value', [np.nan, np.inf])
def test_nan_and_infinity_are_refused(value):
    raw = np.zeros((4, 4), np.float32)
    raw[1, 2] = value
    with pytest.raises(MapError, match=r'holds [01] NaN and [01] infinite values'):
        evaluate_pair(raw, np.zeros((4, 4), np.uint8))


@pytest.mark.parametrize(
    'raw', [np.zeros((4, 4, 1), np.float32), np.zeros((0, 4), np.float32), np.zeros((4, 4), int)]
)
def test_what_is_no_map_is_refused(raw):
    with pytest.raises(MapError, match=r'expected a floating array \(H, W\)'):
        evaluate_pair(raw, np.zeros((4, 4), np.uint8))


@pytest.mark.parametrize('gt', [np.zeros((4, 4), np.float32), np.zeros((4, 4, 3), np.uint8)])
def test_what_is_no_truth_is_refused(gt):
    with pytest.raises(TruthError, match=r'expected uint8 \(H, W\)'):
        evaluate_pair(np.zeros((4, 4), np.float32), gt)


def test_an_unknown_protocol_lists_the_known_ones():
    with pytest.raises(ValueError, match="'mine' is unknown; known are locate, ooal"):
        evaluate_pair(np.zeros((4, 4), np.float32), np.zeros((4, 4), np.uint8), protocol='mine')


@pytest.mark.parametrize('shape', [*SHAPES, (1, 5), (3, 1), (1000, 31)])
def test_the_resize_of_plsp_is_torchs(shape, rng):
    image = rng.random(shape).astype(np.float32)
    expected = F.interpolate(
        torch.from_numpy(image)[None, None], size=(224, 224), mode='bilinear', align_corners=False
    )[0, 0].numpy()
    np.testing.assert_allclose(resize_as_torch(image, (224, 224)), expected, atol=3e-7)


def test_plsp_equals_torchs_own_functions():
    """The same scores by torch's interpolate, softmax, kl_div and std, in float32."""
    for number in range(0, CASES, 10):
        raw, gt = case(number)
        pair = [
            F.interpolate(torch.from_numpy(a.astype(np.float32))[None, None], (224, 224),
                          mode='bilinear', align_corners=False).ravel()
            for a in (raw, gt)
        ]  # fmt: skip
        p, q = pair[0].softmax(0), pair[1] / pair[1].sum()
        heat, fixated = p / p.max(), (q - q.min()) / (q.max() - q.min() + 1e-12) >= 0.1
        expected = {
            'kld': F.kl_div((p + 1e-10).log(), q, reduction='sum').item(),
            'sim': torch.minimum(p, q).sum().item(),
            'nss': (((heat - heat.mean()) / heat.std()) * fixated).sum().item()
            / fixated.sum().item(),
        }
        found = evaluate_pair(raw, gt, protocol='plsp')
        assert found == pytest.approx(expected, rel=1e-3, abs=1e-4), number


def test_importing_the_metrics_needs_numpy_and_opencv_only():
    """In a Python that refuses every other package that is installed."""
    code = (
        'import sys\n'
        'class Refuse:\n'
        '    def find_spec(self, name, path=None, target=None):\n'
        '        top = name.split(".")[0]\n'
        '        ours = {"numpy", "cv2", "affordance_ros_eval"}\n'
        '        if top not in ours | set(sys.stdlib_module_names):\n'
        '            raise ImportError(f"{name} is refused")\n'
        f'sys.path.insert(0, {str(ROOT)!r})\n'
        'sys.meta_path.insert(0, Refuse())\n'
        'import numpy\n'
        'from affordance_ros_eval.metrics import evaluate_pair\n'
        'print(evaluate_pair(numpy.eye(9, dtype="f4"), numpy.eye(9).astype("u1")))'
    )
    result = subprocess.run([sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert "'sim'" in result.stdout
