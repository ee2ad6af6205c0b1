# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""From converted data sets to samples: one image, its sentences and their masks."""

from collections.abc import Collection
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from hashlib import blake2b

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from pycocotools import mask as coco_mask
from torch.utils.data import Dataset

from affordance_ros.image.decode import MAX_BYTES
from affordance_ros.image.decode import EncodedImageError
from affordance_ros.image.decode import decode_image
from affordance_ros.image.preprocess import Normalization
from affordance_ros.safe_io.files import read_bounded
from affordance_ros_training.augment import Rectangle
from affordance_ros_training.augment import View
from affordance_ros_training.augment import draw_view
from affordance_ros_training.augment import names_a_side
from affordance_ros_training.config import TrainConfig
from affordance_ros_training.focus import draw_focus
from affordance_ros_training.refer import DatasetError
from affordance_ros_training.refer_cache import ReferImage
from affordance_ros_training.refer_cache import Referral

# Streams of random numbers that must not meet: each is seeded with its own number.
_ORDER, _SENTENCES, _VIEWS = 1, 2, 3
_TRIES = 20  # samples that are tried in the place of one that can't be read


@dataclass(frozen=True)
class Sample:
    """One image with its sentences.

    Attributes:
        key: Names image and view; see `FeatureCache`.
        pixels: (3, S, S) float32, CLIP-normalised; None if the features are in the cache.
        sentences: K texts.
        coverage: (K, s, s) uint8, the share of each cell that the named region covers, of 255.
        unknown: Likewise, the share that counts neither as the region nor as background.
        problems: Why images could not be used in whose place this one is; if none could be found,
            the sample is empty.
    """

    key: str
    pixels: torch.Tensor | None
    sentences: tuple[str, ...]
    coverage: torch.Tensor
    unknown: torch.Tensor
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Item:
    image: int
    referrals: tuple[int, ...]


class EpochSamples(Dataset[Sample]):
    """The samples of one epoch: every ref once, with one of its sentences.

    All chance comes from (seed, epoch, place in the epoch), never from a generator that goes
    along, so an epoch can be entered anywhere and by any number of workers.

    Args:
        images: Images with their refs.
        config: The run's configuration.
        epoch: From 0.
        normalization: How the trunk's input is normalised.
        cached: Keys whose features are known, so that the pixels aren't needed.
    """

    def __init__(
        self,
        images: Sequence[ReferImage],
        config: TrainConfig,
        *,
        epoch: int,
        normalization: Normalization,
        cached: Collection[str] = (),
    ) -> None:
        self._normalization = normalization
        self._images = images
        self._config = config
        self._epoch = epoch
        self._cached = cached
        self._items = self._group()

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: int) -> Sample:
        problems: list[str] = []
        for shift in range(min(len(self), _TRIES)):
            try:
                sample = self._sample((index + shift) % len(self))
            except DatasetError as error:
                problems.append(str(error))
                continue
            return replace(sample, problems=tuple(problems))
        return Sample('', None, (), torch.empty(0), torch.empty(0), tuple(problems))

    def _sample(self, index: int) -> Sample:
        item = self._items[index]
        image = self._images[item.image]
        rng = self._rng(_SENTENCES, index)
        view = self._view(item.image)
        stride = self._config.optim.loss_stride
        nothing = np.zeros(2 * (view.size // stride,), np.uint8)
        sentences: list[str] = []
        coverages, unknowns = [], []
        for number in item.referrals:
            referral = image.referrals[number]
            phrases = _true_in(referral, view)
            mask = image.mask(referral)
            coverage = view.coverage(mask, stride=stride)
            cut_off = mask.any() and not coverage.any()
            stays = not cut_off or rng.random() < self._config.augment.out_of_sight
            last = number == item.referrals[-1] and not sentences
            if not (phrases and stays) and not last:
                continue
            phrases = phrases or referral.sentences
            sentences.append(phrases[int(rng.integers(len(phrases)))])
            coverages.append(coverage)
            unknown = image.unknown(referral)
            unknowns.append(nothing if unknown is None else view.coverage(unknown, stride=stride))
        for sentence in self._absent(image, len(item.referrals), rng):
            sentences.append(sentence)
            coverages.append(nothing)
            unknowns.append(nothing)
        key, pixels = load_view(
            image, view, normalization=self._normalization, cached=self._cached
        )
        return Sample(
            key,
            pixels,
            tuple(sentences),
            torch.from_numpy(np.stack(coverages)),
            torch.from_numpy(np.stack(unknowns)),
        )

    def batches(self, *, rank: int = 0, world: int = 1) -> list[list[int]]:
        """Return the epoch's batches in order, each with this process's share of it.

        An incomplete last batch is left out, unless it is the only one.
        """
        order = self._rng(_ORDER, 0).permutation(len(self)).tolist()
        size = self._config.optim.batch_size
        whole = [order[i : i + size] for i in range(0, len(order) - size + 1, size)] or [order]
        return [batch[rank::world] for batch in whole]

    def _rng(self, stream: int, index: int) -> np.random.Generator:
        return np.random.default_rng((self._config.run.seed, stream, self._epoch, index))

    def _group(self) -> list[_Item]:
        most = self._config.data.sentences_per_image
        items = []
        for number, image in enumerate(self._images):
            order = self._rng(_SENTENCES + 10, number).permutation(len(image.referrals)).tolist()
            for start in range(0, len(order), most):
                items.append(_Item(number, tuple(order[start : start + most])))
        return items

    def _view(self, number: int) -> View:
        image = self._images[number]
        cache, augment = self._config.feature_cache, self._config.augment
        # With a cache there are few views of an image, and epochs take them in turn.
        turn = (self._epoch + number) % cache.variants if cache.folder else self._epoch
        rng = np.random.default_rng((self._config.run.seed, _VIEWS, turn, number))
        focus = draw_focus(image, rng) if rng.random() < augment.focus else None
        sentences = (s for referral in image.referrals for s in referral.sentences)
        return draw_view(
            image.height,
            image.width,
            size=self._config.data.input_size,
            config=augment,
            keep=_bounds(image),
            # Crops change what is left of what anyway, so there such sentences are dropped.
            may_flip=augment.focus > 0 or not names_a_side(sentences),
            rng=rng,
            focus=focus,
        )

    def _absent(self, image: ReferImage, present: int, rng: np.random.Generator) -> list[str]:
        """Draw sentences of other images that name nothing here, as far as categories tell."""
        share = self._config.data.absent_share
        if not share:
            return []
        count = int(present * share / (1 - share) + rng.random())
        own = {s for referral in image.referrals for s in referral.sentences}
        found: list[str] = []
        for _ in range(8 * count):
            if len(found) == count:
                break
            other = self._images[int(rng.integers(len(self._images)))]
            referral = other.referrals[rng.integers(len(other.referrals))]
            sentence = referral.sentences[rng.integers(len(referral.sentences))]
            elsewhere = referral.categories and image.categories.isdisjoint(referral.categories)
            if elsewhere and sentence not in own:
                found.append(sentence)
        return found


def _true_in(referral: Referral, view: View) -> Sequence[str]:
    """Return the sentences that are true in a view: a mirror image swaps left and right."""
    if not view.flip:
        return referral.sentences
    return [sentence for sentence in referral.sentences if not names_a_side([sentence])]


def collate(samples: Sequence[Sample]) -> list[Sample]:
    """Keep samples apart: they have different numbers of sentences, some have no pixels."""
    return list(samples)


def load_view(
    image: ReferImage,
    view: View,
    *,
    normalization: Normalization,
    cached: Collection[str] = (),
) -> tuple[str, torch.Tensor | None]:
    """Return the key of a view of an image, and its pixels unless they are cached.

    Raises:
        DatasetError: If the image can't be read or has another size than its annotations say.
    """
    try:
        data = read_bounded(image.path, limit_bytes=MAX_BYTES)
    except OSError as error:
        raise DatasetError(f'{image.path} is not readable: {error}') from error
    key = blake2b(repr(view).encode() + data, digest_size=16).hexdigest()
    if key in cached:
        return key, None
    return key, torch.from_numpy(view.pixels(decode(image, data), normalization))


def decode(image: ReferImage, data: bytes) -> NDArray[np.uint8]:
    """Decode an image file.

    Returns:
        (H, W, 3) uint8 RGB, as it is stored: masks are drawn without EXIF orientation, as
        pycocotools and PIL read by themselves.

    Raises:
        DatasetError: If the data is not a whole image or has another size than annotated.
    """
    try:
        pixels = decode_image(data, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    except EncodedImageError as error:
        raise DatasetError(
            f'{image.path} holds {error}: it may be half-downloaded; fetch it again'
        ) from error
    if pixels.shape[:2] != (image.height, image.width):
        raise DatasetError(
            f'{image.path} is {pixels.shape[1]}x{pixels.shape[0]}, and its annotations are for '
            f'{image.width}x{image.height}: it is not the image that was annotated'
        )
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)


def _bounds(image: ReferImage) -> Rectangle:
    """Return the smallest rectangle that holds all regions that are referred to."""
    boxes = np.asarray([_box(image, referral) for referral in image.referrals], np.float64)
    boxes = boxes[(boxes[:, 2] > 0) & (boxes[:, 3] > 0)]
    if not len(boxes):
        return Rectangle(image.width // 2, image.height // 2, 1, 1)
    x, y = (int(value) for value in np.floor(boxes[:, :2].min(axis=0)))
    right, bottom = (int(v) for v in np.ceil((boxes[:, :2] + boxes[:, 2:]).max(axis=0)))
    return Rectangle(x, y, min(right, image.width) - x, min(bottom, image.height) - y)


def _box(image: ReferImage, referral: Referral) -> NDArray[np.float64]:
    rle = {'size': [image.height, image.width], 'counts': referral.counts.encode()}
    return np.asarray(coco_mask.toBbox(rle), np.float64)
