# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The loss, its schedule and the scores of validation."""

import numpy as np
import pytest
import torch

from affordance_ros_training.config import OptimConfig
from affordance_ros_training.loss import distribution_loss
from affordance_ros_training.loss import pad_sentences
from affordance_ros_training.loss import pixel_loss
from affordance_ros_training.schedule import learning_rate
from affordance_ros_training.validate import ReferringScores
from affordance_ros_training.validate import iou_sums


def test_the_loss_is_the_papers_formula():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 3, 12, 12, generator=generator) * 3
    mask = (torch.rand(2, 3, 12, 12, generator=generator) < 0.3).float()
    found = pixel_loss(logits, mask)
    for n in range(2):
        for k in range(3):
            z, y = logits[n, k].double().numpy(), mask[n, k].numpy() > 0
            s = 1 / (1 + np.exp(-z))
            total = -np.log(s[y]).sum() - np.log(1 - s[~y]).sum()
            assert found[n, k].item() == pytest.approx(total / z.size, rel=1e-5)


def test_the_loss_is_taken_at_the_masks_resolution():
    logits = torch.zeros(1, 1, 4, 4)
    logits[..., :2] = 8.0
    mask = torch.zeros(1, 1, 32, 32)
    mask[..., :16] = 1
    full = torch.nn.functional.interpolate(logits, (32, 32), mode='bilinear', align_corners=False)
    expected = torch.nn.functional.softplus(torch.where(mask > 0, -full, full)).mean()
    assert pixel_loss(logits, mask).item() == pytest.approx(expected.item(), rel=1e-5)


def test_unknown_pixels_count_nothing():
    logits = torch.randn(1, 1, 4, 4)
    coverage = torch.zeros(1, 1, 4, 4)
    unknown = torch.zeros(1, 1, 4, 4)
    unknown[..., :2] = 1
    changed = logits.clone()
    changed[..., :2] += 5
    before = pixel_loss(logits, coverage, unknown)
    assert pixel_loss(changed, coverage, unknown).item() == pytest.approx(before.item())
    assert pixel_loss(changed, coverage).item() > before.item()


def test_the_distribution_loss_is_the_divergence_of_region_and_map():
    torch.manual_seed(0)
    logits, unknown = torch.randn(1, 2, 8, 8), torch.zeros(1, 2, 8, 8)
    coverage = torch.zeros(1, 2, 8, 8)
    coverage[0, 0, 2:4, 3:6] = 1
    coverage[0, 1, 0, 0] = 1  # a splinter
    unknown[0, 0, 6:] = 1
    heat = logits[0, 0].numpy().astype(np.float64)[:6]
    heat = np.exp(heat) / np.exp(heat).sum()
    region = coverage[0, 0].numpy()[:6] / 6
    inside = region > 0
    expected = (region[inside] * np.log(region[inside] / heat[inside])).sum()
    found = distribution_loss(logits, coverage, unknown)
    assert found[0].tolist() == pytest.approx([expected, 0.0], rel=1e-5)


def test_padding_counts_nothing():
    vectors = [torch.randn(1, 8), torch.randn(3, 8)]
    coverage = [torch.full((k, 4, 4), 255, dtype=torch.uint8) for k in (1, 3)]
    unknown = [torch.zeros_like(c) for c in coverage]
    text, masks, ignored, real = pad_sentences(vectors, coverage, unknown)
    assert text.shape == (2, 3, 8)
    assert masks.shape == ignored.shape == (2, 3, 4, 4)
    assert masks.max() == 1
    assert ignored.max() == 0
    assert real.tolist() == [[True, False, False], [True, True, True]]


def test_milestones_and_warm_up():
    config = OptimConfig(learning_rate=1.0, warmup_steps=10, milestones=(2, 3), gamma=0.1)
    rates = [learning_rate(s, config=config, steps_per_epoch=10) for s in (0, 9, 19, 20, 30)]
    assert rates == pytest.approx([0.1, 1, 1, 0.1, 0.01])


def test_cosine_ends_near_zero():
    config = OptimConfig(learning_rate=1.0, warmup_steps=0, schedule='cosine', epochs=10)
    rates = [learning_rate(s, config=config, steps_per_epoch=10) for s in range(100)]
    assert rates[0] == 1
    assert rates[50] == pytest.approx(0.5)
    assert rates[-1] < 0.001
    assert rates == sorted(rates, reverse=True)


def test_scores_against_brute_force():
    rng = np.random.default_rng(0)
    pairs = [(rng.random((9, 9)) < 0.6, rng.random((9, 9)) < 0.7) for _ in range(20)]
    scores = ReferringScores.from_sums(sum(iou_sums(a, b) for a, b in pairs))
    ious, inter, union = [], 0, 0
    for found, mask in pairs:
        i = sum(bool(x and y) for x, y in zip(found.flat, mask.flat, strict=True))
        u = sum(bool(x or y) for x, y in zip(found.flat, mask.flat, strict=True))
        ious.append(i / u)
        inter, union = inter + i, union + u
    assert scores.overall_iou == pytest.approx(inter / union)
    assert scores.mean_iou == pytest.approx(np.mean(ious))
    assert scores.precision[0] == pytest.approx(np.mean([v > 0.5 for v in ious]))
    assert scores.sentences == 20


def test_sentences_that_name_nothing_are_scored_apart():
    nothing = np.zeros((3, 3), bool)
    sums = iou_sums(nothing, nothing) + iou_sums(~nothing, nothing)
    scores = ReferringScores.from_sums(sums)
    assert scores.empty_kept == 0.5
    assert scores.sentences == 0
