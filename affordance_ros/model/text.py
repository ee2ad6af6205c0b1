"""Text features F_Q: prompts through CLIP's text transformer, cached."""

from collections import OrderedDict
from collections.abc import Sequence

import open_clip
import torch
import torch.nn.functional as F

from affordance_ros.commands import CommandError
from affordance_ros.model.trunk import Trunk

_CACHED_PROMPTS = 4096


class TextEncoder:
    """Encodes prompts to unit vectors and remembers them.

    Args:
        trunk: The trunk whose text transformer is used; it must stay on one device.
    """

    def __init__(self, trunk: Trunk) -> None:
        self._clip = trunk.clip
        self._tokenizer = open_clip.SimpleTokenizer(context_length=trunk.clip.context_length)
        self._cache: OrderedDict[str, torch.Tensor] = OrderedDict()

    def check_length(self, prompt: str) -> None:
        """Refuse a prompt that CLIP would cut off.

        Raises:
            CommandError: If the prompt has more tokens than the text transformer reads.
        """
        limit = self._clip.context_length - 2  # start and end of text take a place each
        count = len(self._tokenizer.encode(prompt))
        if count > limit:
            raise CommandError(
                f'the prompt {prompt[:40]!r}... has {count} tokens, and the text transformer '
                f'reads {limit}: give a shorter command'
            )

    @torch.inference_mode()
    def encode(self, prompts: Sequence[str]) -> torch.Tensor:
        """Encode prompts, each on its own.

        Args:
            prompts: K texts.

        Returns:
            (K, C) float32 unit vectors on the trunk's device.

        Raises:
            CommandError: If a prompt is too long; see `check_length`.
        """
        new = [prompt for prompt in dict.fromkeys(prompts) if prompt not in self._cache]
        if new:
            for prompt in new:
                self.check_length(prompt)
            tokens = self._tokenizer(new).to(self._clip.token_embedding.weight.device)
            self._cache.update(
                zip(new, self._clip.encode_text(tokens, normalize=True).float(), strict=True)
            )
        vectors = torch.stack([self._cache[prompt] for prompt in prompts])  # (K, C)
        for prompt in prompts:
            self._cache.move_to_end(prompt)
        while len(self._cache) > _CACHED_PROMPTS:
            self._cache.popitem(last=False)
        return vectors

    def encode_ensemble(self, prompts: Sequence[str]) -> torch.Tensor:
        """Average the unit vectors of several prompts for one command, as CLIP's authors do.

        Returns:
            (C,) float32, a unit vector.
        """
        return F.normalize(self.encode(prompts).mean(dim=0), dim=0)
