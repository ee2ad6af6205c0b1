# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Text vectors of sentences: encoded once each, and cut where the encoder stops reading."""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence

import torch

from affordance_ros.model.trunk import Trunk
from affordance_ros.text.prompts import Prompts
from affordance_ros_training.refer_cache import ReferImage

_GROUP = 16


class SentenceEncoder:
    """Encodes sentences to unit vectors and keeps all of them.

    Unlike `TextEncoder.encode`, which refuses a command that would be cut, it cuts: some sentences
    of RefCOCOg are longer than CLIP reads.

    A vector's last bits depend on what it was encoded together with. So sentences are always
    encoded in the same groups, whichever of a group is asked for first: a resumed run sees the
    same vectors as one that was never interrupted.

    Args:
        trunk: The trunk whose text encoder is used.
        prompts: The prompts around a sentence, whose vectors are averaged.
        sentences: All sentences that may be asked for.
    """

    def __init__(self, trunk: Trunk, prompts: Prompts, sentences: Iterable[str]) -> None:
        self._text = trunk.text
        self._prompts = prompts
        self._sentences = sorted(set(sentences))
        self._numbers = {sentence: number for number, sentence in enumerate(self._sentences)}
        self._groups: dict[int, torch.Tensor] = {}

    def encode(self, sentences: Sequence[str]) -> torch.Tensor:
        """Encode sentences.

        Args:
            sentences: K texts, each one of those given at the start.

        Returns:
            (K, C) float32 text vectors on the trunk's device, without gradient.
        """
        return torch.stack([self._vector(self._numbers[sentence]) for sentence in sentences])

    def _vector(self, number: int) -> torch.Tensor:
        group = number // _GROUP
        if group not in self._groups:
            start = group * _GROUP
            self._groups[group] = self._encode_group(self._sentences[start : start + _GROUP])
        return self._groups[group][number % _GROUP]

    @torch.no_grad()
    def _encode_group(self, sentences: Sequence[str]) -> torch.Tensor:
        prompts = [prompt for s in sentences for prompt in self._prompts.expand(s)]
        vectors = self._text.run(prompts)  # (K * T, C)
        return self._text.merge(vectors.view(len(sentences), -1, vectors.shape[-1]))


def sentences_of(images: Iterable[ReferImage]) -> Iterator[str]:
    """Yield all sentences of images."""
    for image in images:
        for referral in image.referrals:
            yield from referral.sentences
