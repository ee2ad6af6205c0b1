# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Text encoders of exported models, which need no torch."""

from abc import ABC
from abc import abstractmethod
from collections.abc import Callable
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affordance_ros.model.lru import LruCache
from affordance_ros.text.commands import TEXT_ENDS
from affordance_ros.text.commands import check_tokens

TEXT, VOCABULARY = 'text.onnx', 'vocabulary.txt.gz'
TRUNK, TOKENIZER = 'trunk.safetensors', 'tokenizer.json'
_CACHED_PROMPTS = 4096

Vector = NDArray[np.float32]


class ExportedText(ABC):
    """Encodes prompts to text vectors and remembers them."""

    def __init__(self) -> None:
        self._vectors: LruCache[str, Vector] = LruCache(_CACHED_PROMPTS)

    @abstractmethod
    def check_length(self, prompt: str) -> None:
        """Refuse a prompt that would be cut off.

        Raises:
            CommandError: If it has too many tokens, or holds one that the encoder marks texts by.
        """

    @abstractmethod
    def encode(self, prompt: str) -> Vector:
        """Return a prompt's vector, (C,)."""

    def vector(self, prompts: Sequence[str]) -> Vector:
        """Return the text vector of one command that several prompts say, (C,) float32."""
        vectors = [self._vectors.get(prompt, partial(self.encode, prompt)) for prompt in prompts]
        return self.merge(np.stack(vectors))

    def merge(self, vectors: Vector) -> Vector:
        """Return one vector (C,) for several prompts (T, C) of one command."""
        mean = vectors.mean(axis=0)
        return np.asarray(mean / np.linalg.norm(mean), np.float32)


class ExportedClipText(ExportedText):
    """CLIP's text transformer, by OpenVINO, or by ONNX Runtime where that is missing.

    Args:
        folder: The exported model's.
        length: How many tokens the network reads.
    """

    def __init__(self, folder: Path, length: int) -> None:
        super().__init__()
        # It needs ftfy and regex, which a node with torch or with another model does not.
        from affordance_ros.text.tokenizer import Tokenizer

        self._length = length
        self._tokenizer = Tokenizer(folder / VOCABULARY)
        self._run = _clip_runner(folder / TEXT)

    def check_length(self, prompt: str) -> None:
        """Refuse a prompt that CLIP would cut off; see `ExportedText.check_length`."""
        self._tokens(prompt)

    def encode(self, prompt: str) -> Vector:
        """Return a prompt's unit vector, (C,)."""
        tokens = [self._tokenizer.start, *self._tokens(prompt), self._tokenizer.end]
        padded = np.zeros((1, self._length), np.int64)
        padded[0, : len(tokens)] = tokens
        vector: Vector = self._run(padded)[0]
        return vector

    def _tokens(self, prompt: str) -> list[int]:
        tokens = self._tokenizer.encode(prompt)
        ends = (self._tokenizer.start, self._tokenizer.end)
        check_tokens(prompt, tokens, ends=ends, limit=self._length - len(TEXT_ENDS))
        return tokens


class ExportedClipSegText(ExportedClipText):
    """CLIP's text transformer for CLIPSeg, which reads the vectors as long as they are."""

    def merge(self, vectors: Vector) -> Vector:
        """Return the mean; see `ExportedText.merge`."""
        return np.asarray(vectors.mean(axis=0), np.float32)


class ExportedSentences(ExportedText):
    """The sentence encoder of `household`, in numpy, with the weight of each class appended.

    Args:
        folder: The exported model's.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        # They need tokenizers and safetensors, which an exported CLIP does not.
        from affordance_ros.model.household.classes import class_weights
        from affordance_ros.model.household.numpy_sentences import NumpySentenceEncoder
        from affordance_ros.model.household.tower_file import TowerWeights
        from affordance_ros.model.household.word_pieces import WordPieces

        towers = TowerWeights.read(folder / TRUNK, image=False)
        self._encoder = NumpySentenceEncoder(towers.text, towers.shape)
        self._pieces = WordPieces(folder / TOKENIZER, max_tokens=towers.shape.max_tokens)
        self._weights: Callable[[Vector], Vector] = partial(
            class_weights, class_vectors=towers.class_vectors
        )

    def check_length(self, prompt: str) -> None:
        """Refuse a prompt that would be cut off; see `ExportedText.check_length`."""
        self._pieces.check_length(prompt)

    def encode(self, prompt: str) -> Vector:
        """Return a sentence's unit vector, (384,)."""
        self.check_length(prompt)
        return self._encoder.encode(self._pieces.encode(prompt))

    def vector(self, prompts: Sequence[str]) -> Vector:
        """Return the mean sentence's vector and class weights, (464,) float32."""
        sentence = super().vector(prompts)
        return np.concatenate([sentence, self._weights(sentence)])


def _clip_runner(path: Path) -> Any:
    """Return a function from tokens (K, length) to unit vectors (K, C)."""
    try:
        import openvino as ov
    except ImportError:
        import onnxruntime as ort

        session = ort.InferenceSession(str(path), providers=['CPUExecutionProvider'])
        return lambda tokens: session.run(None, {'tokens': tokens})[0]
    # In float32: bfloat16, OpenVINO's own choice, would turn every vector a little.
    compiled = ov.Core().compile_model(path, 'CPU', {'INFERENCE_PRECISION_HINT': 'f32'})
    return lambda tokens: np.array(compiled({'tokens': tokens})[0])
