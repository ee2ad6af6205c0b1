# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""CLIP's text transformer as a text encoder."""

from collections.abc import Sequence

import open_clip
import torch

from affordance_ros.model.text import TextEncoder
from affordance_ros.text.commands import TEXT_ENDS
from affordance_ros.text.commands import check_tokens

_CACHED_WORDS = 100_000


class ClipText(TextEncoder):
    """CLIP's text transformer.

    Args:
        clip: The whole CLIP.
    """

    def __init__(self, clip: open_clip.CLIP) -> None:
        super().__init__()
        self._clip = clip
        self._tokenizer = open_clip.SimpleTokenizer(context_length=clip.context_length)

    def check_length(self, prompt: str) -> None:
        """Refuse a prompt that CLIP would cut off; see `TextEncoder.check_length`."""
        if len(self._tokenizer.cache) > _CACHED_WORDS:  # it has no bound of its own
            self._tokenizer.cache.clear()
            self._tokenizer.cache.update({token: token for token in TEXT_ENDS})
        check_tokens(
            prompt,
            self._tokenizer.encode(prompt),
            ends=self._tokenizer.all_special_ids,
            limit=self._clip.context_length - len(TEXT_ENDS),
        )

    @torch.no_grad()
    def run(self, prompts: Sequence[str]) -> torch.Tensor:
        """Encode prompts to unit vectors; see `TextEncoder.run`."""
        tokens = self._tokenizer(list(prompts)).to(self._clip.token_embedding.weight.device)
        return self._clip.encode_text(tokens, normalize=True).float()
