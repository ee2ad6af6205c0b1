# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""An exported model: a folder with its networks, tokenizer and facts, which needs no torch."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affordance_ros.backends.base import BackendError
from affordance_ros.image.preprocess import Normalization
from affordance_ros.model.errors import WeightsError
from affordance_ros.model.lru import LruCache
from affordance_ros.safe_io.files import read_bounded
from affordance_ros.safe_io.files import sha256_of_file
from affordance_ros.text.commands import TEXT_ENDS
from affordance_ros.text.commands import check_tokens

FORMAT = 'affordance_ros.backends.exported'
FORMAT_VERSION = 2
FACTS, IMAGE, TEXT, VOCABULARY = 'model.json', 'image.onnx', 'text.onnx', 'vocabulary.txt.gz'
_CACHED_PROMPTS = 4096
_MAX_FACTS_BYTES = 1 << 20


@dataclass(frozen=True)
class ExportedFacts:
    """What an exported model says of itself.

    Attributes:
        name: The model's name.
        weights: Where the trunk's weights came from.
        key: A hash of all weights; see `Network.key`.
        canvas: (height, width) of the image network's input in pixels.
        input_size: The long side that it was exported for, in pixels.
        embed_dim: C, the length of text vectors.
        stages: Names of the tensors that the network's backbone makes.
        normalization: How the network's input is normalised.
        context_length: How many tokens the text network reads.
        kind: The decoder's kind, for the record of kept answers.
        untrained: Whether the trunk's weights are random.
        description: What `GroundingModel.describe` says.
        sha256: Of each file, by name.
    """

    name: str
    weights: str
    key: str
    canvas: tuple[int, int]
    input_size: int
    embed_dim: int
    stages: tuple[str, ...]
    normalization: Normalization
    context_length: int
    kind: str
    untrained: bool
    description: dict[str, str]
    sha256: dict[str, str]

    def write(self, path: Path) -> None:
        """Write them as JSON."""
        content = {'format': FORMAT, 'format_version': FORMAT_VERSION, **asdict(self)}
        path.write_text(json.dumps(content, indent=1) + '\n', encoding='utf-8')


def is_exported(model: str) -> bool:
    """Return whether a model's name is the folder of an exported one."""
    return (Path(model).expanduser() / FACTS).is_file()


class ExportedModel:
    """An exported model, in place of one that torch has loaded.

    Args:
        folder: What `affordance-export` has written.

    Raises:
        WeightsError: If a file is missing, damaged, or of another version.
    """

    device = 'cpu'

    def __init__(self, folder: Path) -> None:
        self.facts = _read_facts(folder)
        self.name = self.facts.name
        self.weights = self.facts.weights
        self.untrained = self.facts.untrained
        self.trained_size = self.facts.input_size
        self.decoder_description = self.facts.description['decoder']
        self.decoder_kind = self.facts.kind
        self.embed_dim = self.facts.embed_dim
        self.canvas = self.facts.canvas
        self.normalization = self.facts.normalization
        self.network = ExportedNetwork(folder, self.facts)
        self.text = ExportedText(folder, self.facts)

    def describe(self) -> dict[str, str]:
        """Return what a person wants to know of the model, in the order to print it."""
        return {**self.facts.description, 'device': self.device}


class ExportedNetwork:
    """The image network of an exported model; see `Network`.

    Args:
        folder: The exported model's.
        facts: What it says of itself.
    """

    def __init__(self, folder: Path, facts: ExportedFacts) -> None:
        self._path = folder / IMAGE
        self._canvas = facts.canvas
        self.stages = facts.stages
        self.label = facts.name
        self.key = facts.key

    def onnx(self, canvas: tuple[int, int]) -> bytes:
        """Return ONNX for the one input size that was exported."""
        if canvas != self._canvas:
            raise BackendError(f'the network was exported for {self._canvas}, not for {canvas}')
        return self._path.read_bytes()


class ExportedText:
    """Encodes prompts by OpenVINO, or by ONNX Runtime where that is missing; remembers them.

    Args:
        folder: The exported model's.
        facts: What it says of itself.
    """

    def __init__(self, folder: Path, facts: ExportedFacts) -> None:
        from affordance_ros.text.tokenizer import (
            Tokenizer,  # ftfy and regex; a torch node needs neither
        )

        self._length = facts.context_length
        self._tokenizer = Tokenizer(folder / VOCABULARY)
        self._run = _text_runner(folder / TEXT)
        self._vectors: LruCache[str, NDArray[np.float32]] = LruCache(_CACHED_PROMPTS)

    def check_length(self, prompt: str) -> None:
        """Refuse a prompt that CLIP would cut off.

        Raises:
            CommandError: As `check_tokens`.
        """
        self._tokens(prompt)

    def vector(self, prompts: Sequence[str]) -> NDArray[np.float32]:
        """Return the mean of the prompts' unit vectors, (C,) float32 and a unit vector."""
        vectors = [self._vectors.get(prompt, partial(self._encode, prompt)) for prompt in prompts]
        mean = np.mean(vectors, axis=0)
        return np.asarray(mean / np.linalg.norm(mean), np.float32)

    def _encode(self, prompt: str) -> NDArray[np.float32]:
        tokens = [self._tokenizer.start, *self._tokens(prompt), self._tokenizer.end]
        padded = np.zeros((1, self._length), np.int64)
        padded[0, : len(tokens)] = tokens
        vector: NDArray[np.float32] = self._run(padded)[0]
        return vector

    def _tokens(self, prompt: str) -> list[int]:
        tokens = self._tokenizer.encode(prompt)
        ends = (self._tokenizer.start, self._tokenizer.end)
        check_tokens(prompt, tokens, ends=ends, limit=self._length - len(TEXT_ENDS))
        return tokens


def _text_runner(path: Path) -> Any:
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


def _read_facts(folder: Path) -> ExportedFacts:
    try:
        content = json.loads(read_bounded(folder / FACTS, limit_bytes=_MAX_FACTS_BYTES))
        if (content.pop('format'), content.pop('format_version')) != (FORMAT, FORMAT_VERSION):
            raise ValueError('it is of another version')
        facts = ExportedFacts(
            **{
                **content,
                **{key: tuple(content[key]) for key in ('canvas', 'stages')},
                'normalization': Normalization(
                    **{key: tuple(value) for key, value in content['normalization'].items()}
                ),
            }
        )
        for name in (IMAGE, TEXT, VOCABULARY):
            if sha256_of_file(folder / name) != facts.sha256[name]:
                raise ValueError(f'{name} is damaged')
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise WeightsError(
            f'{folder} is not a whole exported model ({error}): export it again'
        ) from error
    return facts
