# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The `household` trunk in torch: both towers behind the interface of all trunks."""

import copy
from collections.abc import Collection
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from affordance_ros.image.preprocess import Normalization
from affordance_ros.model.errors import WeightsError
from affordance_ros.model.household.classes import CLASSES
from affordance_ros.model.household.classes import SHARPNESS
from affordance_ros.model.household.classes import class_phrase
from affordance_ros.model.household.image_tower import ImageTower
from affordance_ros.model.household.quantized import QuantizedRows
from affordance_ros.model.household.sentences import SentenceEncoder
from affordance_ros.model.household.shape import FULL
from affordance_ros.model.household.shape import SMALL
from affordance_ros.model.household.shape import TowerShape
from affordance_ros.model.household.tower_file import TOKENIZER_FILE
from affordance_ros.model.household.tower_file import TRUNK_FILE
from affordance_ros.model.household.tower_file import TowerWeights
from affordance_ros.model.household.word_pieces import WordPieces
from affordance_ros.model.known import HOUSEHOLD_SMALL_NAME
from affordance_ros.model.neck import NeckConfig
from affordance_ros.model.text import TextEncoder
from affordance_ros.model.trunk import CLASSES as CLASS_MAPS
from affordance_ros.model.trunk import GLOBAL
from affordance_ros.model.trunk import RANDOM_WEIGHTS
from affordance_ros.model.trunk import Stage
from affordance_ros.model.trunk import Trunk

HOUSEHOLD_NAME = 'household'
SHAPES = {HOUSEHOLD_NAME: FULL, HOUSEHOLD_SMALL_NAME: SMALL}
DEFAULT_FOLDER = Path(__file__).parents[2] / 'weights' / 'household'
# NanoDet's, in which the network reads blue, green, red; the importer turns its first convolution
# around, so that it reads RGB.
NORMALIZATION = Normalization(
    mean=(123.675 / 255, 116.28 / 255, 103.53 / 255), std=(58.395 / 255, 57.12 / 255, 57.375 / 255)
)
# As the trial of docs/training.md used; `global` and `stride4` are there for those who want them.
DEFAULT_NECK = NeckConfig(
    channels=160,
    scales=('stride32', 'stride16', 'stride8'),
    smooth=True,
    norm='group',
    refine=1,
)
_LOGIT_SCALE = 12.0  # where training starts from; sentence encoders know no temperature


class Household(Trunk):
    """NanoDet-g and MiniLM.

    Args:
        image: The image tower.
        sentences: The sentence encoder.
        class_vectors: (80, 384) unit vectors of the classes' phrases.
        pieces: The tokenizer.
        name: The model's name, kept in checkpoints.
        weights: Where its weights came from, for people to read.
        folder: Of trunk.safetensors and tokenizer.json; None if the weights are random.
    """

    family = 'household'

    def __init__(
        self,
        image: ImageTower,
        sentences: SentenceEncoder,
        class_vectors: torch.Tensor,
        pieces: WordPieces,
        *,
        name: str,
        weights: str,
        folder: Path | None,
    ) -> None:
        super().__init__(name=name, weights=weights, untrained=folder is None)
        self.folder = folder
        self.image = image
        self.sentences = sentences
        self.class_vectors = nn.Parameter(class_vectors, requires_grad=False)
        self.text = HouseholdText(sentences, self.class_vectors, pieces)
        self.freeze()

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The feature maps, from coarse to fine."""
        channels = self.image.channels
        return tuple(
            Stage(name, channels[name], int(name.removeprefix('stride')))
            for name in reversed(channels)
        )

    @property
    def backbone_stages(self) -> tuple[str, ...]:
        """All but the finest, which is the front."""
        return tuple(stage.name for stage in self.stages if stage.name != 'stride4')

    @property
    def other_channels(self) -> dict[str, int]:
        """Channels of the mean over the coarsest stage, and of the class maps."""
        return {GLOBAL: self.image.channels['stride32'], CLASS_MAPS: len(CLASSES)}

    @property
    def default_neck(self) -> NeckConfig:
        """Three smoothed levels of 160 channels."""
        return DEFAULT_NECK

    @property
    def normalization(self) -> Normalization:
        """NanoDet's."""
        return NORMALIZATION

    @property
    def logit_scale(self) -> float:
        """Where the head's scale starts."""
        return _LOGIT_SCALE

    @property
    def cosine_dim(self) -> int:
        """The length of a sentence's vector, 384."""
        return int(self.class_vectors.shape[1])

    @property
    def embed_dim(self) -> int:
        """The sentence's vector and a weight for each class, 464."""
        return self.cosine_dim + len(CLASSES)

    def front(self, image: torch.Tensor) -> torch.Tensor:
        """Return the finest stage; see `Trunk.front`."""
        return self.image.start(image)

    def backbone(self, front: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return all stages; see `Trunk.backbone`."""
        return self.image.finish(front)

    def complete(
        self,
        front: torch.Tensor,
        stages: Mapping[str, torch.Tensor],
        outputs: Collection[str],
    ) -> dict[str, torch.Tensor]:
        """Add the global vector and the class maps; see `Trunk.complete`."""
        features = {'stride4': front, **stages}
        if GLOBAL in outputs:
            features[GLOBAL] = stages['stride32'].mean(dim=(-2, -1))
        if CLASS_MAPS in outputs:
            features[CLASS_MAPS] = self.image.class_maps(stages)
        return features

    def inference_parts(self) -> tuple[nn.Module, nn.Module]:
        """Return copies of the image tower's two halves; see `Trunk.inference_parts`."""
        return _Start(copy.deepcopy(self.image)), _Finish(copy.deepcopy(self.image))


class _Start(nn.Module):
    """The image tower's first half."""

    def __init__(self, image: ImageTower) -> None:
        super().__init__()
        self.image = image

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.image.start(pixels)


class _Finish(nn.Module):
    """The image tower's second half."""

    def __init__(self, image: ImageTower) -> None:
        super().__init__()
        self.image = image

    def forward(self, front: torch.Tensor) -> dict[str, torch.Tensor]:
        return self.image.finish(front)


class HouseholdText(TextEncoder):
    """Sentence vectors, each with a weight for every class of the detector behind it.

    Args:
        sentences: The sentence encoder.
        class_vectors: (80, 384) unit vectors of the classes' phrases.
        pieces: The tokenizer.
    """

    def __init__(
        self, sentences: SentenceEncoder, class_vectors: torch.Tensor, pieces: WordPieces
    ) -> None:
        super().__init__()
        self._sentences = sentences
        self._class_vectors = class_vectors
        self._pieces = pieces

    def check_length(self, prompt: str) -> None:
        """Refuse a prompt that would be cut off; see `TextEncoder.check_length`."""
        self._pieces.check_length(prompt)

    @torch.no_grad()
    def run(self, prompts: Sequence[str]) -> torch.Tensor:
        """Encode prompts, (K, 464); see `TextEncoder.run`."""
        return self._weigh(self._sentences([self._pieces.encode(prompt) for prompt in prompts]))

    @torch.no_grad()
    def merge(self, vectors: torch.Tensor) -> torch.Tensor:
        """Average sentence vectors, and weigh the classes anew; see `TextEncoder.merge`."""
        sentences = vectors[..., : self._class_vectors.shape[1]]
        return self._weigh(F.normalize(sentences.mean(dim=-2), dim=-1))

    def _weigh(self, sentences: torch.Tensor) -> torch.Tensor:
        """Append the class weights to unit vectors (..., 384); see `classes.class_weights`."""
        cosines = sentences @ self._class_vectors.T  # (..., 80)
        highest = cosines.amax(dim=-1, keepdim=True)
        weights = cosines.relu() * torch.exp(SHARPNESS * (cosines - highest))
        return torch.cat([sentences, weights], dim=-1)


def load_household(name: str, weights: str, *, seed: int = 0) -> Household:
    """Build the trunk and fill in its weights.

    Args:
        name: `household`, or `household-small` for tests.
        weights: The folder of trunk.safetensors and tokenizer.json, or `random`; '' for the ones
            that ship.
        seed: Seed of random weights.

    Returns:
        The trunk, on the CPU, in float32.

    Raises:
        WeightsError: If the weights can't be found or don't fit.
    """
    if weights == RANDOM_WEIGHTS:
        return _random(name, SHAPES[name], seed)
    folder = Path(weights).expanduser() if weights else DEFAULT_FOLDER
    if folder.name == TRUNK_FILE:
        folder = folder.parent
    path = folder / TRUNK_FILE
    stored = TowerWeights.read(path)
    if stored.shape != SHAPES[name]:
        raise WeightsError(f'{path} holds towers of another size than {name}')
    image, sentences = ImageTower(stored.shape), SentenceEncoder(stored.shape)
    text = {
        key: value.dequantize() if isinstance(value, QuantizedRows) else value
        for key, value in stored.text.items()
    }
    for module, arrays in ((image, stored.image), (sentences, text)):
        state = {key: torch.from_numpy(np.ascontiguousarray(v)) for key, v in arrays.items()}
        try:
            module.load_state_dict(state)
        except RuntimeError as error:
            raise WeightsError(f'{path} does not fit {name}: {error}') from error
    return Household(
        image,
        sentences,
        torch.from_numpy(stored.class_vectors),
        WordPieces(folder / TOKENIZER_FILE, max_tokens=stored.shape.max_tokens),
        name=name,
        weights=str(path),
        folder=folder,
    )


@torch.no_grad()
def _random(name: str, shape: TowerShape, seed: int) -> Household:
    """Build towers whose signals neither fade nor grow, though nothing has trained them."""
    pieces = WordPieces(DEFAULT_FOLDER / TOKENIZER_FILE, max_tokens=shape.max_tokens)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        image, sentences = ImageTower(shape), SentenceEncoder(shape)
        for module in image.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, a=0.1, nonlinearity='leaky_relu')
        for name_of, bias in image.named_parameters():
            if name_of.endswith('.bias'):
                nn.init.normal_(bias, std=0.1)
        for table in (sentences.words, sentences.positions):
            nn.init.normal_(table.weight, std=0.05)
    vectors = sentences([pieces.encode(class_phrase(label)) for label in CLASSES])
    # The last digits depend on how many threads added them up; a seed must give the same weights
    # on every machine.
    vectors = (vectors * 1024).round() / 1024
    return Household(
        image,
        sentences,
        vectors,
        pieces,
        name=name,
        weights=f'random (seed {seed})',
        folder=None,
    )
