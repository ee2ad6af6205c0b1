# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Validation: how well the thresholded heatmaps cover the regions that sentences name."""

from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import asdict
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader
from torch.utils.data import Dataset

from affordance_ros.image.letterbox import Letterbox
from affordance_ros.image.preprocess import Normalization
from affordance_ros.model.heads import FPNDecoder
from affordance_ros_training.augment import View
from affordance_ros_training.bad_images import BadImages
from affordance_ros_training.distributed import Processes
from affordance_ros_training.features import FeatureSource
from affordance_ros_training.features import autocast
from affordance_ros_training.refer import DatasetError
from affordance_ros_training.refer_cache import ReferImage
from affordance_ros_training.samples import Sample
from affordance_ros_training.samples import collate
from affordance_ros_training.samples import load_view
from affordance_ros_training.sentences import SentenceEncoder
from affordance_ros_training.sweep import SUMS as SWEEP_SUMS
from affordance_ros_training.sweep import Sweep
from affordance_ros_training.sweep import sweep_sums

PRECISION_LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9)
_SUMS = 6 + len(PRECISION_LEVELS)


@dataclass(frozen=True)
class ReferringScores:
    """Referring segmentation at the images' own size, sigmoid > 0.5, every sentence counted.

    Attributes:
        overall_iou: The sum of all intersections over the sum of all unions.
        mean_iou: The mean of the sentences' IoU.
        precision: The share of sentences whose IoU exceeds 0.5, 0.6, 0.7, 0.8 and 0.9.
        empty_kept: The share of sentences that name nothing whose map is empty; 1 if there are
            none. They count in neither IoU.
        sentences: How many sentences name something.
        sweep: The loss, and the scores at other thresholds; None where only masks were at hand.
    """

    overall_iou: float
    mean_iou: float
    precision: tuple[float, ...]
    empty_kept: float
    sentences: int
    sweep: Sweep | None = None

    @classmethod
    def from_sums(cls, sums: NDArray[np.float64], sweep: Sweep | None = None) -> 'ReferringScores':
        """Build from what `iou_sums` returns."""
        intersection, union, iou, count, empty, kept = sums[:6]
        return cls(
            overall_iou=float(intersection / max(union, 1)),
            mean_iou=float(iou / max(count, 1)),
            precision=tuple(float(v) for v in sums[6:] / max(count, 1)),
            empty_kept=float(kept / empty) if empty else 1.0,
            sentences=int(count),
            sweep=sweep,
        )

    @property
    def loss(self) -> float:
        """The validation loss; infinite where it is not known."""
        return float('inf') if self.sweep is None else self.sweep.loss

    @property
    def rank(self) -> tuple[float, float]:
        """What chooses the best model: overall IoU, and where that ties the lower loss."""
        return self.overall_iou, -self.loss

    def line(self) -> str:
        """Return the scores in a line for logs."""
        return (
            f'overall IoU {self.overall_iou:.3f}, mean IoU {self.mean_iou:.3f}, P@0.5 '
            f'{self.precision[0]:.3f}, loss {self.loss:.4f}'
        )

    def flat(self) -> dict[str, float]:
        """Return the scores by name, for logs."""
        values = asdict(self)
        values.pop('sweep')
        if self.sweep is not None:
            threshold, iou = self.sweep.best
            best = {'best_threshold': threshold, 'best_threshold_overall_iou': iou}
            values |= {'loss': self.sweep.loss, **best}
        levels = zip(PRECISION_LEVELS, values.pop('precision'), strict=True)
        return {**values, **{f'precision_{level}': value for level, value in levels}}


def iou_sums(found: NDArray[np.bool_], mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return what one sentence adds: intersection, union, IoU, 1, empty, kept, and hits."""
    sums = np.zeros(6 + len(PRECISION_LEVELS))
    if not mask.any():
        sums[4:6] = 1, not found.any()
        return sums
    intersection, union = float((found & mask).sum()), float((found | mask).sum())
    iou = intersection / union
    sums[:4] = intersection, union, iou, 1
    sums[6:] = [iou > level for level in PRECISION_LEVELS]
    return sums


class _PlainSamples(Dataset[tuple[int, Sample]]):
    """Images without augmentation; the coverage is left empty, masks are needed in full size."""

    def __init__(
        self,
        images: Sequence[ReferImage],
        *,
        input_size: int,
        normalization: Normalization,
        cached: frozenset[str],
    ) -> None:
        self._normalization = normalization
        self._images = images
        self._input_size = input_size
        self._cached = cached

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> tuple[int, Sample]:
        image = self._images[index]
        view = View.plain(image.height, image.width, size=self._input_size)
        nothing = torch.empty(0)
        try:
            key, pixels = load_view(
                image, view, normalization=self._normalization, cached=self._cached
            )
        except DatasetError as error:
            return index, Sample('', None, (), nothing, nothing, (str(error),))
        return index, Sample(key, pixels, (), nothing, nothing)


def predicted_logits(
    images: Sequence[ReferImage],
    sentences: Sequence[Sequence[str]],
    *,
    decoder: FPNDecoder,
    source: FeatureSource,
    encoder: SentenceEncoder,
    input_size: int,
    precision: str,
    batch_size: int = 16,
    workers: int = 0,
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Run the model over images.

    Args:
        images: The images.
        sentences: For each image its K sentences.
        decoder: Neck and head.
        source: The trunk's features.
        encoder: The sentences' vectors.
        input_size: The side of the square input in pixels.
        precision: What the decoder computes in.
        batch_size: Images in a batch.
        workers: Processes that prepare images.

    Images that can't be read are left out and named.

    Raises:
        DatasetError: If too many images can't be read.

    Yields:
        The image's index and its logits (K, h, w) float32, which cover the letterbox.
    """
    plain = _PlainSamples(
        images,
        input_size=input_size,
        normalization=source.normalization,
        cached=source.cached,
    )
    loader = DataLoader(plain, batch_size=batch_size, num_workers=workers, collate_fn=list)
    bad = BadImages(len(images))
    for loaded in loader:
        for _, sample in loaded:
            bad.note(sample.problems)
        batch = [(index, sample) for index, sample in loaded if not sample.problems]
        if not batch:
            continue
        features = source(collate([sample for _, sample in batch]))
        for row, (index, _) in enumerate(batch):
            text = encoder.encode(sentences[index])
            single = {name: value[row : row + 1] for name, value in features.items()}
            with torch.no_grad(), autocast(text.device, precision):
                logits = decoder(single, text)[0]
            yield index, np.asarray(logits.float().cpu().numpy(), np.float32)


def validate(
    images: Sequence[ReferImage],
    *,
    decoder: FPNDecoder,
    source: FeatureSource,
    encoder: SentenceEncoder,
    processes: Processes,
    input_size: int,
    precision: str,
    workers: int = 0,
) -> ReferringScores:
    """Score every sentence of every image; the processes share the images.

    Args:
        images: The images of the split.
        decoder: Neck and head, in eval mode.
        source: The trunk's features.
        encoder: The sentences' vectors.
        processes: Who computes.
        input_size: The side of the square input in pixels.
        precision: What the decoder computes in.
        workers: Processes that prepare images.
    """
    own = images[processes.rank :: processes.world]
    sums = np.zeros(_SUMS + SWEEP_SUMS)
    outputs = predicted_logits(
        own,
        [[s for referral in image.referrals for s in referral.sentences] for image in own],
        decoder=decoder,
        source=source,
        encoder=encoder,
        input_size=input_size,
        precision=precision,
        workers=workers,
    )
    for index, logits in outputs:
        image = own[index]
        box = Letterbox.fit((image.height, image.width), size=input_size, shape='square')
        maps = iter(logits)
        for referral in image.referrals:
            mask = image.mask(referral).astype(bool)
            for _ in referral.sentences:
                restored = box.restore(next(maps))
                sums[:_SUMS] += iou_sums(restored > 0, mask)
                sums[_SUMS:] += sweep_sums(restored, mask)
    total = processes.sum(torch.from_numpy(sums).to(processes.device)).cpu().numpy()
    return ReferringScores.from_sums(total[:_SUMS], Sweep.from_sums(total[_SUMS:]))
