# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Text features F_Q: prompts through a trunk's text encoder, cached."""

from abc import ABC
from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from affordance_ros.model.lru import LruCache

_CACHED_PROMPTS = 4096


class TextEncoder(ABC):
    """Encodes prompts to text vectors and remembers them; one for each trunk.

    The trunk must stay on one device once a prompt was encoded.
    """

    def __init__(self) -> None:
        self._vectors: LruCache[str, torch.Tensor] = LruCache(_CACHED_PROMPTS)

    @abstractmethod
    def check_length(self, prompt: str) -> None:
        """Refuse a prompt that would be cut off.

        Raises:
            CommandError: If the prompt has more tokens than are read, or holds one of those that
                begin and end a text.
        """

    @abstractmethod
    def run(self, prompts: Sequence[str]) -> torch.Tensor:
        """Encode prompts in one pass; one that is too long is cut off.

        Returns:
            (K, C) float32 text vectors on the trunk's device.
        """

    def merge(self, vectors: torch.Tensor) -> torch.Tensor:
        """Average the vectors of several prompts for one command, as CLIP's authors do.

        Args:
            vectors: (..., T, C), of T prompts.

        Returns:
            (..., C) float32, the unit vector of their mean.
        """
        return F.normalize(vectors.mean(dim=-2), dim=-1)

    def encode(self, prompts: Sequence[str]) -> torch.Tensor:
        """Encode prompts, each on its own, so that its vector never depends on its company.

        Args:
            prompts: K texts.

        Returns:
            (K, C) float32 text vectors on the trunk's device; known prompts cost nothing.

        Raises:
            CommandError: If a prompt is too long; see `check_length`.
        """
        return torch.stack([self._encode_one(prompt) for prompt in prompts])  # (K, C)

    @torch.inference_mode()
    def encode_batch(self, prompts: Sequence[str]) -> torch.Tensor:
        """Encode many prompts in one pass, without remembering them; for training.

        The vectors differ from `encode`'s by rounding.

        Returns:
            (K, C) float32 text vectors on the trunk's device.

        Raises:
            CommandError: If a prompt is too long; see `check_length`.
        """
        for prompt in prompts:
            self.check_length(prompt)
        return self.run(prompts)

    def _encode_one(self, prompt: str) -> torch.Tensor:
        return self._vectors.get(prompt, lambda: self.encode_batch([prompt])[0])

    def encode_ensemble(self, prompts: Sequence[str]) -> torch.Tensor:
        """Return the text vector of one command that several prompts say, (C,) float32."""
        return self.merge(self.encode(prompts))

    def vector(self, prompts: Sequence[str]) -> NDArray[np.float32]:
        """Return `encode_ensemble` as numpy, (C,) float32, for backends."""
        return np.asarray(self.encode_ensemble(prompts).cpu().numpy(), np.float32)
