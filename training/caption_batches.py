# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Batches for contrastive pretraining: crops around boxes or whole images, with captions."""

from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
import torch

from affordance_ros.image.preprocess import CLIP_NORMALIZATION
from training.augment import Rectangle
from training.augment import View
from training.augment import names_a_side
from training.captions import Captioned
from training.captions import CaptionList
from training.captions import PixelStore
from training.pretrain_config import PretrainConfig
from training.pretrain_config import StageConfig

_AHEAD = 3


@dataclass(frozen=True)
class CaptionBatch:
    """Pictures and captions.

    Attributes:
        pixels: (N, 3, S, S) float32, CLIP-normalised, channels last in memory.
        captions: The texts that were drawn, at least one of each picture; some may be equal.
        known: For each picture all captions that its list gives it.
        scenes: True if the pictures are whole images.
    """

    pixels: torch.Tensor
    captions: tuple[str, ...]
    known: tuple[frozenset[str], ...]
    scenes: bool


class CaptionBatches:
    """Draws batches; each is a pure function of the seed and the step.

    Args:
        captions: The list.
        store: Its pixels.
        config: How pictures are drawn and changed.
        augmented: False for centred crops without change, as in validation.
    """

    def __init__(
        self,
        captions: CaptionList,
        store: PixelStore,
        config: PretrainConfig,
        *,
        augmented: bool = True,
    ) -> None:
        self._store = store
        self._config = config
        self._augmented = augmented
        self._crops = [entry for entry in captions.entries if entry.box is not None]
        self._scenes = [entry for entry in captions.entries if entry.box is None]

    def draw(self, step: int, stage: StageConfig) -> CaptionBatch:
        """Return the batch of a step."""
        config = self._config
        rng = np.random.default_rng((config.seed, 7, step))
        scenes = not self._crops or (
            bool(self._scenes) and step % config.scene_every == config.scene_every - 1
        )
        entries: Sequence[Captioned] = self._scenes if scenes else self._crops
        size = stage.scene_size if scenes else stage.crop_size
        count = min(stage.scene_batch if scenes else stage.crop_batch, len(entries))
        chosen = rng.choice(len(entries), count, replace=False)
        pictures = []
        texts: list[str] = []
        for index in chosen:
            entry = entries[int(index)]
            own = self._draw_captions(entry, rng)
            pixels = self._store[entry.image]
            view = self._view(entry, own, pixels.shape[:2], size=size, rng=rng)
            pictures.append(view.pixels(pixels, CLIP_NORMALIZATION))
            texts += own
        batch = torch.from_numpy(np.stack(pictures))
        return CaptionBatch(
            batch.contiguous(memory_format=torch.channels_last),
            tuple(texts),
            tuple(frozenset(entries[int(index)].captions) for index in chosen),
            scenes,
        )

    def _draw_captions(self, entry: Captioned, rng: np.random.Generator) -> list[str]:
        config = self._config
        several = min(config.captions_each, len(entry.captions))
        drawn = rng.choice(len(entry.captions), several, replace=False)
        if entry.box is not None and rng.random() < config.titled and 0 not in drawn:
            drawn[0] = 0
        return [entry.captions[k] for k in drawn]

    def _view(
        self,
        entry: Captioned,
        texts: Sequence[str],
        shape: tuple[int, ...],
        *,
        size: int,
        rng: np.random.Generator,
    ) -> View:
        config = self._config
        height, width = shape[:2]
        # Drawn whether or not they are used, so that one setting doesn't move the others' chance.
        factor = rng.uniform(config.context[0], config.context[1])
        least = rng.uniform(config.least_crop_px[0], config.least_crop_px[1])
        at_x, at_y = rng.random(2)
        brightness, contrast, saturation = 1 + rng.uniform(-config.colour, config.colour, 3)
        gains = brightness * (1 + rng.uniform(-config.tint, config.tint, 3))
        flip = bool(rng.random() < config.flip) and not names_a_side(texts)
        if entry.box is None:
            side = min(height, width) * (rng.uniform(0.75, 1.0) if self._augmented else 1.0)
            x, y = (width - side) * at_x, (height - side) * at_y
            if not self._augmented:
                x, y = (width - side) / 2, (height - side) / 2
        else:
            if not self._augmented:
                factor, least = sum(config.context) / 2, sum(config.least_crop_px) / 2
                at_x = at_y = 0.5
            left, top, box_width, box_height = entry.box
            side = max(factor * max(box_width, box_height), least)
            shift = 2 * config.jitter * side
            x = left + box_width / 2 - side / 2 + (at_x - 0.5) * shift
            y = top + box_height / 2 - side / 2 + (at_y - 0.5) * shift
        side_px = int(np.clip(round(side), 2, min(height, width)))
        window = Rectangle(
            int(np.clip(round(x), 0, width - side_px)),
            int(np.clip(round(y), 0, height - side_px)),
            side_px,
            side_px,
        )
        whole = Rectangle(0, 0, size, size)
        if not self._augmented:
            return View(window, whole, size)
        return View(
            window,
            whole,
            size,
            flip=flip,
            gains=(float(gains[0]), float(gains[1]), float(gains[2])),
            contrast=float(contrast),
            saturation=float(saturation),
        )


class Prefetcher:
    """Draws the next batches in a thread beside the computation (numpy and OpenCV let it run).

    Args:
        batches: What draws.
    """

    def __init__(self, batches: CaptionBatches) -> None:
        self._batches = batches
        self._pool = ThreadPoolExecutor(1, initializer=cv2.setNumThreads, initargs=(1,))
        self._waiting: dict[tuple[int, StageConfig], Future[CaptionBatch]] = {}

    def get(self, step: int, stage: StageConfig) -> CaptionBatch:
        """Return a step's batch, and begin the ones after it."""
        wanted = {(number, stage) for number in range(step, step + _AHEAD)}
        for key in list(self._waiting):
            if key not in wanted:
                self._waiting.pop(key).cancel()
        for key in sorted(wanted, key=lambda entry: entry[0]):
            if key not in self._waiting:
                self._waiting[key] = self._pool.submit(self._batches.draw, *key)
        return self._waiting.pop((step, stage)).result()

    def close(self) -> None:
        """Stop the thread."""
        self._pool.shutdown(cancel_futures=True)
