"""Text vectors of sentences: encoded once each, and cut where CLIP stops reading."""

from collections.abc import Sequence

import open_clip
import torch
import torch.nn.functional as F

from affordance_ros.model.trunk import Trunk
from affordance_ros.prompts import PromptSet

_BATCH = 256


class SentenceEncoder:
    """Encodes sentences to unit vectors and keeps all of them.

    Other than `TextEncoder`, which refuses a command that CLIP would cut, it cuts: some sentences
    of RefCOCOg are longer than CLIP reads.

    Args:
        trunk: The trunk whose text transformer is used.
        prompts: The prompts around a sentence, whose vectors are averaged.
    """

    def __init__(self, trunk: Trunk, prompts: PromptSet) -> None:
        self._clip = trunk.clip
        self._prompts = prompts
        self._tokenizer = open_clip.SimpleTokenizer(context_length=trunk.clip.context_length)
        self._vectors: dict[str, torch.Tensor] = {}

    @torch.no_grad()
    def encode(self, sentences: Sequence[str]) -> torch.Tensor:
        """Return (K, C) float32 unit vectors on the trunk's device, without gradient."""
        new = [s for s in dict.fromkeys(sentences) if s not in self._vectors]
        for start in range(0, len(new), _BATCH):
            part = new[start : start + _BATCH]
            self._vectors.update(zip(part, self._encode_new(part), strict=True))
        return torch.stack([self._vectors[s] for s in sentences])

    def _encode_new(self, sentences: Sequence[str]) -> torch.Tensor:
        prompts = [prompt for s in sentences for prompt in self._prompts.expand(s)]
        tokens = self._tokenizer(prompts).to(self._clip.token_embedding.weight.device)
        vectors = self._clip.encode_text(tokens, normalize=True).float()  # (K * T, C)
        return F.normalize(vectors.view(len(sentences), -1, vectors.shape[-1]).mean(1), dim=-1)
