# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""An exported model: a folder with its networks, tokenizer and facts, which needs no torch."""

import json
from dataclasses import asdict
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Any

from affordance_ros.backends.base import BackendError
from affordance_ros.backends.exported_text import TEXT
from affordance_ros.backends.exported_text import TOKENIZER
from affordance_ros.backends.exported_text import TRUNK
from affordance_ros.backends.exported_text import VOCABULARY
from affordance_ros.backends.exported_text import ExportedClipSegText
from affordance_ros.backends.exported_text import ExportedClipText
from affordance_ros.backends.exported_text import ExportedSentences
from affordance_ros.backends.exported_text import ExportedText
from affordance_ros.image.preprocess import Normalization
from affordance_ros.model.calibration import Calibration
from affordance_ros.model.errors import WeightsError
from affordance_ros.safe_io.files import read_bounded
from affordance_ros.safe_io.files import sha256_of_file

FORMAT = 'affordance_ros.backends.exported'
FORMAT_VERSION = 2
FACTS, IMAGE, FPN = 'model.json', 'image.onnx', 'fpn.safetensors'
# What a folder holds beside its facts. The graph of `household` reads its weights out of the
# files that torch reads too.
FILES = {
    'clip': (IMAGE, TEXT, VOCABULARY),
    'vit': (IMAGE, TEXT, VOCABULARY),
    'pe': (IMAGE, TEXT, VOCABULARY),
    'clipseg': (IMAGE, TEXT, VOCABULARY),
    'household': (IMAGE, TRUNK, FPN, TOKENIZER),
}
# All that a program needs which runs the networks itself; examples/deploy.py is one.
CONTRACT = {
    'letterbox': 'scale the image so that its long side has input_size pixels (rounded, at least '
    '1), by area averaging where it gets smaller (cv2.INTER_AREA), else bilinearly; lay it in the '
    'middle (rounded up and left) of the smallest canvas whose sides are multiples of 32; the '
    'border is 0 after normalisation',
    'pixels': 'float32 (N, 3, H, W): RGB, (value / 255 - mean) / std; any N, H and W',
    'text': 'float32 (N, K, embed_dim): the vectors of K texts for each image; any K. '
    'commands.npz holds those of the commands that were exported, (M, embed_dim) for each',
    'logits': 'float32 (N, K, h, w), calibrated, over the whole canvas at the resolution of the '
    'decoder; of the M texts of one command the highest counts',
    'heatmap': 'logits bilinearly to the canvas (pixel centres at integers + 0.5, as cv2.resize), '
    'cut to the image, bilinearly to its size, then the sigmoid',
}
CLIP_CONTRACT = {
    'tokens': "text.onnx takes int64 (K, context_length): 49406, the tokens of CLIP's byte pair "
    'encoding (vocabulary.txt.gz) of the text in lower case, 49407, then 0',
    'vectors': 'float32 (K, embed_dim), unit vectors; of several prompts for one text the mean, '
    'normalised',
}
CONTRACTS = {
    'clip': CLIP_CONTRACT,
    'vit': CLIP_CONTRACT,
    'pe': CLIP_CONTRACT,
    'clipseg': CLIP_CONTRACT
    | {
        'vectors': 'float32 (K, embed_dim), of any length; of several prompts for one text the '
        'mean',
    },
    'household': {},
}
COMMANDS = 'commands.npz'
_MAX_FACTS_BYTES = 1 << 20


@dataclass(frozen=True)
class ExportedFacts:
    """What an exported model says of itself."""

    name: str
    family: str  # the trunk's, see FILES
    weights: str  # where the trunk's weights came from
    key: str  # a hash of all weights; see `Network.key`
    canvas: tuple[int, int] | None  # (height, width) of the only input in pixels; None for any
    input_size: int  # the long side that it was trained at or exported for, in pixels
    embed_dim: int  # C, the length of text vectors
    stages: tuple[str, ...]  # names of the tensors that the network's backbone makes
    normalization: Normalization
    calibration: Calibration
    context_length: int  # how many tokens CLIP's text network reads; 0 for others
    kind: str  # the decoder's, for the precision record
    untrained: bool  # whether the trunk's weights are random
    description: dict[str, str]  # what `GroundingModel.describe` says
    sha256: dict[str, str]  # of each file, by name
    contract: dict[str, str] = field(default_factory=dict)  # see CONTRACT; for people

    def write(self, path: Path) -> None:
        """Write them as JSON."""
        content = {'format': FORMAT, 'format_version': FORMAT_VERSION, **asdict(self)}
        path.write_text(json.dumps(content, indent=1) + '\n', encoding='utf-8')

    @classmethod
    def read(cls, folder: Path) -> 'ExportedFacts':
        """Read them, and check every file of the folder.

        Raises:
            WeightsError: If a file is missing, damaged, or of another version.
        """
        try:
            content = json.loads(read_bounded(folder / FACTS, limit_bytes=_MAX_FACTS_BYTES))
            version = content.pop('format'), content.pop('format_version')
            if version != (FORMAT, FORMAT_VERSION):
                raise ValueError('it is of another version')
            facts = cls(**{**content, **_nested(content)})
            for name in FILES[facts.family]:
                if sha256_of_file(folder / name) != facts.sha256[name]:
                    raise ValueError(f'{name} is damaged')
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise WeightsError(
                f'{folder} is not a whole exported model ({error}): export it again'
            ) from error
        return facts


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
        self._folder = folder
        self.facts = ExportedFacts.read(folder)
        self.name = self.facts.name
        self.family = self.facts.family
        self.weights = self.facts.weights
        self.untrained = self.facts.untrained
        self.trained_size = self.facts.input_size
        self.decoder_description = self.facts.description['decoder']
        self.decoder_kind = self.facts.kind
        self.embed_dim = self.facts.embed_dim
        self.canvas = self.facts.canvas
        self.normalization = self.facts.normalization
        self.calibration = self.facts.calibration
        self.network = ExportedNetwork(folder, self.facts)
        self.text: ExportedText
        if self.facts.family == 'household':
            self.text = ExportedSentences(folder)
        elif self.facts.family == 'clipseg':
            self.text = ExportedClipSegText(folder, self.facts.context_length)
        else:
            self.text = ExportedClipText(folder, self.facts.context_length)

    def describe(self) -> dict[str, str]:
        """Return what a person wants to know of the model, in the order to print it."""
        described = {**self.facts.description, 'device': self.device}
        # Files are named as they lie in the folder, which can be moved.
        own = {k: str(self._folder / v) for k, v in described.items() if v in self.facts.sha256}
        return {**described, **own}


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

    def onnx(self, canvas: tuple[int, int]) -> Path:
        """Return the file; see `Network.onnx`."""
        if self._canvas is not None and canvas != self._canvas:
            raise BackendError(f'the network was exported for {self._canvas}, not for {canvas}')
        return self._path


def _nested(content: dict[str, Any]) -> dict[str, Any]:
    """Return the facts that JSON has no types for."""
    canvas = content['canvas']
    return {
        'canvas': None if canvas is None else tuple(canvas),
        'stages': tuple(content['stages']),
        'normalization': Normalization(
            **{name: tuple(values) for name, values in content['normalization'].items()}
        ),
        'calibration': Calibration(**content['calibration']),
    }
