# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The predictor: set a command once, predict many images. Node and tools all use this one."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from affordance_ros.backends.base import AUTO
from affordance_ros.backends.base import Backend
from affordance_ros.backends.base import BackendConfig
from affordance_ros.backends.base import BackendError
from affordance_ros.backends.base import FrameBackend
from affordance_ros.backends.exported import ExportedModel
from affordance_ros.backends.exported import is_exported
from affordance_ros.backends.select import Choice
from affordance_ros.backends.select import Model
from affordance_ros.backends.select import choose_backend
from affordance_ros.image.letterbox import SHAPES
from affordance_ros.image.letterbox import Letterbox
from affordance_ros.image.letterbox import check_size
from affordance_ros.image.preprocess import prepare
from affordance_ros.image.ros_image import check_image
from affordance_ros.model.config import ModelConfig
from affordance_ros.model.embedded import EMBEDDED
from affordance_ros.model.lru import LruCache
from affordance_ros.targets.activation import Activation
from affordance_ros.targets.grounding import Grounding
from affordance_ros.targets.grounding import SizeGate
from affordance_ros.targets.instances import InstanceConfig
from affordance_ros.targets.instances import find_instances
from affordance_ros.text.commands import parse_command
from affordance_ros.text.prompts import Prompts
from affordance_ros.text.prompts import load_prompt_set

# A camera's picture where nobody has said another size: the model is warmed up with it.
USUAL_SIZE = (480, 640)

_KEPT_COMMANDS = 256  # of one prompt set; a request has 64 at most


@dataclass(frozen=True)
class Timings:
    """Where the time of one prediction went.

    Attributes:
        preprocess_s: Scaling and normalising the image, in seconds.
        model_s: The model, with the way to its device and back: the copy back waits for a GPU to
            be done, so nothing else needs to.
        postprocess_s: Heatmaps and targets of all commands.
    """

    preprocess_s: float = 0.0
    model_s: float = 0.0
    postprocess_s: float = 0.0


@dataclass(frozen=True)
class PredictorConfig:
    """How images and commands are read and targets chosen; all but the size may change live.

    Attributes:
        input_size: The long side of the model's input in pixels, a multiple of 32; 0 takes the
            checkpoint's own, or 320 where there is none.
        input_shape: 'rectangle' keeps the border small, 'square' is as in training.
        prompt_set: A shipped prompt set's name, or the path of a YAML file.
        min_score: The lowest score of a target, in [0, 1].
        min_prominence: Two hills of heat are two targets if the heat between them is lower than
            the lower one's by at least this share of it.
        region_share: Pixels belong to a target's region whose heat is at least this share of its
            score.
        min_distance_px: The least distance between two targets, in pixels of the image.
        min_area_px: The least area of a target's region, in pixels of the image.
        max_area_px: The greatest; 0 for any.
        max_targets: How many targets at most.
    """

    input_size: int = 0
    input_shape: str = 'rectangle'
    prompt_set: str = 'verb'
    min_score: float = 0.3
    min_prominence: float = 0.2
    region_share: float = 0.5
    min_distance_px: float = 20.0
    min_area_px: int = 0
    max_area_px: int = 0
    max_targets: int = 5

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        if self.input_size:
            check_size(self.input_size)
        if self.input_shape not in SHAPES:
            raise ValueError(f'input_shape {self.input_shape!r} is unknown; known are {SHAPES}')
        if self.max_targets < 1:
            raise ValueError(f'max_targets {self.max_targets} must be at least 1')
        _ = self.instances, self.size_gate  # which check their values

    @property
    def instances(self) -> InstanceConfig:
        """What is a target of its own."""
        return InstanceConfig(
            self.min_score, self.min_prominence, self.region_share, self.min_distance_px
        )

    @property
    def size_gate(self) -> SizeGate:
        """Which targets are too small or too large."""
        return SizeGate(self.min_area_px, self.max_area_px)


class Predictor:
    """Grounds commands in images.

    One thread at a time may use it. `timings` tells where the time of the newest prediction went.

    Args:
        model: The loaded model.
        config: How images and commands are read and targets chosen.
        choice: What runs the model, and why; torch by default.
    """

    DEFAULT_INPUT_SIZE = 320

    def __init__(
        self,
        model: Model,
        config: PredictorConfig | None = None,
        choice: Choice | None = None,
    ) -> None:
        self.model = model
        self.choice = choice or choose_backend(model, BackendConfig('torch'))
        self.timings = Timings()
        # By the text as it came, so that a command is parsed, expanded and tokenised once.
        self._encoded: LruCache[str, tuple[str, NDArray[np.float32]]] = LruCache(_KEPT_COMMANDS)
        self._commands: list[str] = []
        self._text: NDArray[np.float32] | None = None
        self._groups: list[int] = []  # how many rows of it belong to each command
        self.configure(config or PredictorConfig())

    @classmethod
    def load(
        cls,
        model_config: ModelConfig,
        config: PredictorConfig | None = None,
        backend: BackendConfig | None = None,
    ) -> 'Predictor':
        """Load a model and choose what runs it; by default what `default_backend` says.

        Raises:
            BackendError: As `choose_backend`, and otherwise as `load_model`.
        """
        options = backend or BackendConfig(default_backend(model_config))
        exported = exported_folder(model_config)
        if options.backend == 'torch' and not is_exported(model_config.model):
            exported = None  # a shipped one, whose weights torch reads too
        if options.num_threads:
            cv2.setNumThreads(options.num_threads)
        model: Model
        if exported is not None:
            model = ExportedModel(exported)
        else:
            model = _load_by_torch(model_config, options.num_threads)
        config = config or PredictorConfig()
        choice = choose_backend(model, options, _letterbox(model, config, *USUAL_SIZE).canvas)
        return cls(model, config, choice)

    def describe(self) -> dict[str, str]:
        """Return what a person wants to know of model and backend, in the order to print it."""
        return {
            **self.model.describe(),
            'backend': self.backend.description,
            'backend_reason': self.choice.reason,
        }

    @property
    def backend(self) -> Backend:
        """What runs the model."""
        return self.choice.backend

    @property
    def config(self) -> PredictorConfig:
        """The configuration in use."""
        return self._config

    @property
    def prompt_set(self) -> Prompts:
        """How commands become prompts."""
        return self._prompt_set

    @property
    def input_size(self) -> int:
        """The long side of the model's input, in pixels."""
        return _input_size(self.model, self._config)

    def configure(self, config: PredictorConfig) -> None:
        """Use another configuration from the next image on.

        Raises:
            PromptSetError: If the prompt set can't be loaded; the old configuration stays.
        """
        self._prompt_set = load_prompt_set(config.prompt_set)
        self._config = config
        self._encoded.clear()
        if self._commands:
            self.set_commands(self._commands)

    def check_command(self, text: str) -> str:
        """Clean a command without running the model.

        Raises:
            CommandError: If the command can't be used.
        """
        command = parse_command(text)
        for prompt in self._prompt_set.expand(command):
            self.model.text.check_length(prompt)
        return command

    def set_command(self, text: str) -> None:
        """Set the command that `predict` answers; its text features are computed once.

        Raises:
            CommandError: If the command can't be used; the one before stays.
        """
        self.set_commands([text])

    def set_commands(self, texts: Sequence[str]) -> None:
        """Set several commands, which `predict_all` answers over one trunk pass.

        Raises:
            CommandError: If one can't be used; those before stay.
        """
        encoded = [self._encode(text) for text in texts]
        self._commands = [command for command, _ in encoded]
        self._text = np.concatenate([vectors for _, vectors in encoded])  # (sum of M, C)
        self._groups = [len(vectors) for _, vectors in encoded]

    def _encode(self, text: str) -> tuple[str, NDArray[np.float32]]:
        """Return a command, cleaned, and its M text vectors (M, C); each is computed once."""

        def encode() -> tuple[str, NDArray[np.float32]]:
            command = self.check_command(text)
            groups = self._prompt_set.alternatives(command)
            return command, np.stack([self.model.text.vector(prompts) for prompts in groups])

        return self._encoded.get(text, encode)

    def predict(self, image: NDArray[np.uint8], *, channels: str = 'rgb') -> Grounding:
        """Ground the command that was set.

        Args:
            image: (H, W, 3) uint8, or (H, W) with channels='mono'; a view will do.
            channels: 'rgb', 'bgr' or 'mono'.

        Returns:
            Targets, and a heatmap on demand, at the image's own resolution.

        Raises:
            RuntimeError: If no command or several were set.
            ValueError: If the image has another shape or dtype.
        """
        if len(self._commands) != 1:
            raise RuntimeError(
                f'{len(self._commands)} commands are set: call set_command(text) before '
                f'predict(), or predict_all() for several'
            )
        return self.predict_all(image, channels=channels)[0]

    def predict_all(self, image: NDArray[np.uint8], *, channels: str = 'rgb') -> list[Grounding]:
        """Ground every command that was set, over one trunk pass.

        Args:
            image: As for `predict`.
            channels: As for `predict`.

        Returns:
            One grounding for each command, in order.

        Raises:
            RuntimeError: If no command was set.
            ValueError: If the image has another shape or dtype.
        """
        if self._text is None:
            raise RuntimeError('no command is set: call set_command(text) before predicting')
        check_image(image, channels)
        config = self._config
        begin = time.perf_counter()
        box = self.letterbox(image.shape[0], image.shape[1])
        if isinstance(self.backend, FrameBackend):
            prepared = begin  # as a part of running the model
            logits = self.backend.run_frame(image, box, channels, self._text)[0]  # (K, h, w)
        else:
            pixels = self._prepare(image, box, channels)
            prepared = time.perf_counter()
            logits = self.backend.run(pixels, self._text)[0]
        ran = time.perf_counter()
        logits = _highest(logits, self._groups)  # (K, h, w)
        activations = [Activation(one, box) for one in logits]
        gate = config.size_gate
        groundings = []
        for command, activation, found in zip(
            self._commands, activations, find_instances(activations, config.instances), strict=True
        ):
            candidates, refused = gate.split(found)
            groundings.append(
                Grounding(command, candidates, activation, config.max_targets, refused)
            )
        self.timings = Timings(prepared - begin, ran - prepared, time.perf_counter() - ran)
        return groundings

    def predict_heatmaps(
        self,
        images: Sequence[NDArray[np.uint8]],
        commands: Sequence[str],
        *,
        channels: str = 'rgb',
    ) -> list[NDArray[np.float32]]:
        """Ground each image's own command, all over one pass; equal to `predict` but for rounding.

        Args:
            images: N images as for `predict`, whose letterboxes have one canvas.
            commands: N commands; what was set stays set.
            channels: As for `predict`.

        Returns:
            N heatmaps (H, W) float32 in [0, 1], each of its image's size.

        Raises:
            CommandError: If a command can't be used.
            ValueError: If the images need several canvases, or as `predict`.
        """
        for image in images:
            check_image(image, channels)
        boxes = [self.letterbox(image.shape[0], image.shape[1]) for image in images]
        canvases = sorted({box.canvas for box in boxes})
        if len(commands) != len(images) or len(canvases) != 1:
            raise ValueError(
                f'{len(images)} images on the canvases {canvases} and {len(commands)} commands: '
                f'give a command for each image, and batch images of one canvas, see letterbox()'
            )
        vectors = [self._encode(command)[1] for command in commands]
        most = max(map(len, vectors))
        # A vector twice changes nothing about the highest of the maps.
        text = np.stack([v[np.minimum(np.arange(most), len(v) - 1)] for v in vectors])  # (N, M, C)
        pixels = np.concatenate(
            [self._prepare(i, box, channels) for i, box in zip(images, boxes, strict=True)]
        )  # (N, 3, h, w)
        logits = self.backend.run(pixels, text).max(axis=1)  # (N, h, w)
        return [Activation(one, box).heatmap for one, box in zip(logits, boxes, strict=True)]

    def _prepare(
        self, image: NDArray[np.uint8], box: Letterbox, channels: str
    ) -> NDArray[np.float32]:
        return prepare(image, box, channels=channels, normalization=self.model.normalization)

    def letterbox(self, height: int, width: int) -> Letterbox:
        """Return how an image of a size, in pixels, lies on the model's input."""
        return _letterbox(self.model, self._config, height, width)

    def warm_up(self, height: int = USUAL_SIZE[0], width: int = USUAL_SIZE[1]) -> None:
        """Run the model once on a grey image, so that the first frame is as fast as the others."""
        image = np.full((height, width, 3), 128, np.uint8)
        commands = self._commands
        self.set_commands(commands or ['warm up'])
        self.predict_all(image)
        if not commands:
            self._commands, self._text = [], None


def exported_folder(config: ModelConfig) -> Path | None:
    """Return the folder of a model that runs without torch: an exported or a shipped one.

    A shipped model with other weights, another checkpoint or on a GPU is loaded by torch.
    """
    if is_exported(config.model):
        return Path(config.model).expanduser()
    shipped = EMBEDDED.get(config.model)
    changed = config.weights or config.checkpoint or config.device not in ('auto', 'cpu')
    return None if shipped is None or changed else shipped.exported


def default_backend(config: ModelConfig) -> str:
    """Return `auto` for what runs without torch, else `torch`, which has nothing to compile."""
    return 'torch' if exported_folder(config) is None else AUTO


def _highest(logits: NDArray[np.float32], groups: Sequence[int]) -> NDArray[np.float32]:
    """Return the highest map of each group, (K, h, w), of maps (sum of groups, h, w)."""
    if len(logits) == len(groups):
        return logits
    starts = np.cumsum([0, *groups[:-1]])
    return np.asarray(np.maximum.reduceat(logits, starts, axis=0), np.float32)


def _letterbox(model: Model, config: PredictorConfig, height: int, width: int) -> Letterbox:
    if model.canvas is not None:
        return Letterbox.into((height, width), model.canvas)
    size = _input_size(model, config)
    return Letterbox.fit((height, width), size=size, shape=config.input_shape)


def _input_size(model: Model, config: PredictorConfig) -> int:
    return config.input_size or model.trained_size or Predictor.DEFAULT_INPUT_SIZE


def _load_by_torch(config: ModelConfig, num_threads: int) -> Model:
    """Load a model that is not exported, and say what to do where there is no torch."""
    try:
        from affordance_ros.model.grounding import load_model
        from affordance_ros.model.grounding import use_threads
    except ModuleNotFoundError as error:
        raise BackendError(
            f'{error.name} is not installed, which the model {config.model!r} needs: install it, '
            f'or export the model where it is (affordance-export) and give the folder as `model`'
        ) from error
    if num_threads:
        use_threads(num_threads)
    return load_model(config)
