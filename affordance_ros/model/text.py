# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Text features F_Q: prompts through CLIP's text transformer, cached."""

from collections.abc import Sequence

import numpy as np
import open_clip
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from affordance_ros.model.lru import Recent
from affordance_ros.model.trunk import Trunk
from affordance_ros.text.commands import TEXT_ENDS
from affordance_ros.text.commands import check_tokens

_CACHED_PROMPTS = 4096
_CACHED_WORDS = 100_000


class TextEncoder:
    """Encodes prompts to unit vectors and remembers them.

    Args:
        trunk: The trunk whose text transformer is used; it must stay on one device.
    """

    def __init__(self, trunk: Trunk) -> None:
        self._clip = trunk.clip
        self._tokenizer = open_clip.SimpleTokenizer(context_length=trunk.clip.context_length)
        self._vectors: Recent[str, torch.Tensor] = Recent(_CACHED_PROMPTS)

    def check_length(self, prompt: str) -> None:
        """Refuse a prompt that CLIP would cut off.

        Raises:
            CommandError: If the prompt has more tokens than the text transformer reads, or holds
                one of those that begin and end a text.
        """
        if len(self._tokenizer.cache) > _CACHED_WORDS:  # it has no bound of its own
            self._tokenizer.cache.clear()
            self._tokenizer.cache.update({token: token for token in TEXT_ENDS})
        check_tokens(
            prompt,
            self._tokenizer.encode(prompt),
            ends=self._tokenizer.all_special_ids,
            limit=self._clip.context_length - len(TEXT_ENDS),
        )

    def encode(self, prompts: Sequence[str]) -> torch.Tensor:
        """Encode prompts, each on its own, so that its vector never depends on its company.

        Args:
            prompts: K texts.

        Returns:
            (K, C) float32 unit vectors on the trunk's device; known prompts cost nothing.

        Raises:
            CommandError: If a prompt is too long; see `check_length`.
        """
        return torch.stack([self._encode_one(prompt) for prompt in prompts])  # (K, C)

    @torch.inference_mode()
    def encode_batch(self, prompts: Sequence[str]) -> torch.Tensor:
        """Encode many prompts in one pass, without remembering them; for training.

        The vectors differ from `encode`'s by rounding.

        Returns:
            (K, C) float32 unit vectors on the trunk's device.

        Raises:
            CommandError: If a prompt is too long; see `check_length`.
        """
        for prompt in prompts:
            self.check_length(prompt)
        tokens = self._tokenizer(list(prompts)).to(self._clip.token_embedding.weight.device)
        return self._clip.encode_text(tokens, normalize=True).float()

    def _encode_one(self, prompt: str) -> torch.Tensor:
        return self._vectors.get(prompt, lambda: self.encode_batch([prompt])[0])

    def encode_ensemble(self, prompts: Sequence[str]) -> torch.Tensor:
        """Average the unit vectors of several prompts for one command, as CLIP's authors do.

        Returns:
            (C,) float32, a unit vector.
        """
        return F.normalize(self.encode(prompts).mean(dim=0), dim=0)

    def vector(self, prompts: Sequence[str]) -> NDArray[np.float32]:
        """Return `encode_ensemble` as numpy, (C,) float32, for backends."""
        return np.asarray(self.encode_ensemble(prompts).cpu().numpy(), np.float32)
