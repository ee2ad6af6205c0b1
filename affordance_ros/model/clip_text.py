# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""CLIP's text transformer as a text encoder."""

from collections.abc import Callable
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
        context_length: How many tokens it reads.
        encode: Makes text vectors (K, C) of token numbers (K, context_length).
    """

    def __init__(
        self, context_length: int, encode: Callable[[torch.Tensor], torch.Tensor]
    ) -> None:
        super().__init__()
        self.context_length = context_length
        self._encode_tokens = encode
        self._tokenizer = open_clip.SimpleTokenizer(context_length=context_length)

    def check_length(self, prompt: str) -> None:
        """Refuse a prompt that CLIP would cut off; see `TextEncoder.check_length`."""
        if len(self._tokenizer.cache) > _CACHED_WORDS:  # it has no bound of its own
            self._tokenizer.cache.clear()
            self._tokenizer.cache.update({token: token for token in TEXT_ENDS})
        check_tokens(
            prompt,
            self._tokenizer.encode(prompt),
            ends=self._tokenizer.all_special_ids,
            limit=self.context_length - len(TEXT_ENDS),
        )

    @torch.no_grad()
    def run(self, prompts: Sequence[str]) -> torch.Tensor:
        """Encode prompts; see `TextEncoder.run`."""
        return self._encode_tokens(self._tokenizer(list(prompts)))
