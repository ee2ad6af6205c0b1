# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The predictor: set a command once, predict many images. Node and tools all use this one."""

import time
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from affordance_ros.backends.base import Backend
from affordance_ros.backends.base import BackendConfig
from affordance_ros.backends.base import FrameBackend
from affordance_ros.backends.exported import ExportedModel
from affordance_ros.backends.exported import is_exported
from affordance_ros.backends.select import Choice
from affordance_ros.backends.select import Model
from affordance_ros.backends.select import choose_backend
from affordance_ros.image.letterbox import Letterbox
from affordance_ros.image.preprocess import prepare
from affordance_ros.image.ros_image import check_image
from affordance_ros.load import default_backend
from affordance_ros.load import exported_folder
from affordance_ros.load import load_by_torch
from affordance_ros.model.config import ModelConfig
from affordance_ros.model.lru import LruCache
from affordance_ros.predictor_config import PredictorConfig
from affordance_ros.predictor_config import Timings
from affordance_ros.targets.activation import Activation
from affordance_ros.targets.activation import highest_maps
from affordance_ros.targets.grounding import Grounding
from affordance_ros.text.commands import parse_command
from affordance_ros.text.prompts import Prompts
from affordance_ros.text.prompts import load_prompt_set

# A camera's image where nobody has said another size: the model is warmed up with it.
USUAL_SIZE = (480, 640)

_KEPT_COMMANDS = 256  # of one prompt set; a request has 64 at most


class Predictor:
    """Grounds commands in images.

    One thread at a time may use it. `timings` tells where the time of the newest prediction went.

    Args:
        model: The loaded model.
        config: How images and commands are read and targets chosen.
        choice: What runs the model, and why; torch by default.
    """

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
            model = load_by_torch(model_config, options.num_threads)
        config = config or PredictorConfig()
        choice = choose_backend(model, options, config.letterbox(model, *USUAL_SIZE).canvas)
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
    def commands(self) -> tuple[str, ...]:
        """The commands that are set, cleaned."""
        return tuple(self._commands)

    @property
    def prompt_set(self) -> Prompts:
        """How commands become prompts."""
        return self._prompt_set

    @property
    def input_size(self) -> int:
        """The long side of the model's input, in pixels."""
        return self._config.size_for(self.model)

    def configure(self, config: PredictorConfig) -> None:
        """Use another configuration from the next image on.

        Raises:
            PromptSetError: If the prompt set can't be loaded; the old configuration stays.
        """
        self._prompt_set = load_prompt_set(config.prompt_set, family=self.model.family)
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
        activations = self.activations(image, channels=channels)
        begin = time.perf_counter()
        groundings = self._config.ground(self._commands, activations)
        self.timings = replace(self.timings, postprocess_s=time.perf_counter() - begin)
        return groundings

    def activations(self, image: NDArray[np.uint8], *, channels: str = 'rgb') -> list[Activation]:
        """Return each command's activation map, which `PredictorConfig.ground` finds targets in.

        Args:
            image: As for `predict`.
            channels: As for `predict`.

        Raises:
            RuntimeError: If no command was set.
            ValueError: If the image has another shape or dtype.
        """
        if self._text is None:
            raise RuntimeError('no command is set: call set_command(text) before predicting')
        check_image(image, channels)
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
        logits = highest_maps(logits, self._groups)  # (K, h, w)
        self.timings = Timings(prepared - begin, ran - prepared)
        return [Activation(one, box) for one in logits]

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
        return self._config.letterbox(self.model, height, width)

    def warm_up(self, height: int = USUAL_SIZE[0], width: int = USUAL_SIZE[1]) -> None:
        """Run the model once on a grey image, so that the first frame is as fast as the others."""
        image = np.full((height, width, 3), 128, np.uint8)
        commands = self._commands
        self.set_commands(commands or ['warm up'])
        self.predict_all(image)
        if not commands:
            self._commands, self._text = [], None
