# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Maps for AGD20K's images: by the one predictor that the node uses, or by a baseline."""

from collections.abc import Iterator
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import DataLoader
from torch.utils.data import Dataset
from tqdm import tqdm

from affordance_ros.predictor import Predictor
from affordance_ros.safe_io.files import sha256_of_file
from affordance_ros.text.commands import CommandError
from affordance_ros_eval.agd20k import Item
from affordance_ros_eval.agd20k import read_image
from affordance_ros_eval.errors import EvaluationError
from affordance_ros_eval.errors import ImageProblemError
from affordance_ros_eval.errors import Problem
from affordance_ros_eval.prediction_folder import PredictionFolder

DEFAULT_TEMPLATE = '{affordance}'
# Of each side; chosen as a prior's usual width, on no data.
CENTRE_SIGMA = 0.25
BASELINES = ('centre', 'uniform')

_Image = tuple[Item, NDArray[np.uint8], str]  # with its command
_Loaded = tuple[int, NDArray[np.uint8] | None, Problem | None]


def command_for(item: Item, template: str) -> str:
    """Return the command that an item asks, with folders' underscores as spaces.

    Raises:
        EvaluationError: If the template has other fields than affordance and object.
    """
    try:
        text = template.format(affordance=item.affordance, object=item.object)
    except (KeyError, IndexError, ValueError) as error:
        raise EvaluationError(
            f'the command template {template!r} is wrong ({error}): its fields are {{affordance}} '
            f'and {{object}}, such as "{{affordance}} the {{object}}"'
        ) from error
    return text.replace('_', ' ')


def describe_predictor(predictor: Predictor) -> dict[str, Any]:
    """Return all that a predictor's maps depend on, but for the device that torch uses."""
    facts = dict(predictor.model.describe())
    facts.pop('device')
    if not predictor.backend.description.startswith('torch f32'):
        facts['backend'] = predictor.backend.description
    if checkpoint := facts.pop('checkpoint', ''):
        facts['checkpoint_sha256'] = sha256_of_file(Path(checkpoint))
    config = predictor.config
    return {
        **facts,
        'input_size': predictor.input_size,
        'input_shape': config.input_shape,
        'prompt_set': predictor.prompt_set.label,
    }


class _Images(Dataset[_Loaded]):
    """Images by number, or the problem of one that can't be read."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._items = items

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: int) -> _Loaded:
        item = self._items[index]
        try:
            return index, image_of(item), None
        except ImageProblemError as error:
            return index, None, error.for_image(item.key)


def image_of(item: Item) -> NDArray[np.uint8]:
    """Return an item's image, (H, W, 3) uint8 BGR.

    Raises:
        ImageProblemError: If there is none, or it can't be read.
    """
    if item.image is None:
        raise ImageProblemError('unreadable image', f'{item.key} has no image')
    return read_image(item.image)


def predict_items(
    items: Sequence[Item],
    predictor: Predictor,
    folder: PredictionFolder,
    *,
    template: str = DEFAULT_TEMPLATE,
    workers: int = 0,
    batch: int = 1,
    progress: bool = False,
) -> Iterator[Problem]:
    """Predict the items whose maps are not there yet, and keep each as soon as it is made.

    With a batch, images wait until `batch` of them fit one canvas; at most four batches of them
    wait, so that memory is bounded whatever the images' shapes.

    Args:
        items: In any order; ordered by affordance, each command's text is encoded once.
        predictor: The loaded predictor.
        folder: Where the maps go.
        template: How a command is made of an item's affordance and object.
        workers: Processes that read images; 0 reads them in this one.
        batch: Images in one pass of the model; 1 takes each by `predict`, as the node does.
        progress: Whether to show a bar.

    Yields:
        The problems of images that can't be read.

    Raises:
        EvaluationError: If the template or a command can't be used.
    """
    wanted = [item for item in items if not folder.has(item)]
    loader = DataLoader(_Images(wanted), batch_size=1, num_workers=workers, collate_fn=_only)
    bar = tqdm(loader, total=len(wanted), unit='image', desc='predict', disable=not progress)
    waiting = _Waiting(batch)
    current = ''
    for index, pixels, problem in bar:
        if pixels is None:
            if problem is not None:
                yield problem
            continue
        item = wanted[index]
        command = command_for(item, template)
        if command != current:
            try:
                predictor.check_command(command)
            except CommandError as error:
                raise EvaluationError(f'{item.key}: {error}') from error
            current = command
        canvas = predictor.letterbox(pixels.shape[0], pixels.shape[1]).canvas
        if ready := waiting.add(canvas, (item, pixels, command)):
            _predict(ready, predictor, folder)
    for rest in waiting.rest():
        _predict(rest, predictor, folder)


class _Waiting:
    """Images batched by canvas size.

    Args:
        batch: How many go together.
    """

    _MAX_BATCHES = 4

    def __init__(self, batch: int) -> None:
        self._batch = batch
        self._groups: dict[tuple[int, int], list[_Image]] = {}

    def add(self, canvas: tuple[int, int], pixels: _Image) -> list[_Image]:
        """Let an image wait; return those whose turn it is, maybe none."""
        self._groups.setdefault(canvas, []).append(pixels)
        if len(self._groups[canvas]) == self._batch:
            return self._groups.pop(canvas)
        if sum(map(len, self._groups.values())) >= self._MAX_BATCHES * self._batch:
            return self._groups.pop(max(self._groups, key=lambda key: len(self._groups[key])))
        return []

    def rest(self) -> list[list[_Image]]:
        """Return what waits still, by canvas."""
        return list(self._groups.values())


def _predict(group: Sequence[_Image], predictor: Predictor, folder: PredictionFolder) -> None:
    """Predict images of one canvas and keep their maps."""
    items, images, commands = zip(*group, strict=True)
    if len(items) == 1:
        predictor.set_command(commands[0])  # known prompts cost nothing
        maps = [predictor.predict(images[0], channels='bgr').heatmap]
    else:
        maps = predictor.predict_heatmaps(images, commands, channels='bgr')
    for item, heatmap in zip(items, maps, strict=True):
        folder.write(item, heatmap)


def _only(batch: list[_Loaded]) -> _Loaded:
    return batch[0]


def baseline_map(item: Item, kind: str) -> NDArray[np.float32]:
    """Return a map that looks at nothing, at the image's size.

    Args:
        item: The item; only its image's size counts.
        kind: 'centre' for a Gaussian in the middle whose sigma is a quarter of each side,
            'uniform' for 1 everywhere.

    Raises:
        ImageProblemError: If the image can't be read.
    """
    height, width = image_of(item).shape[:2]
    if kind == 'uniform':
        return np.ones((height, width), np.float32)
    return np.outer(_bell(height), _bell(width)).astype(np.float32)


def _bell(length: int) -> NDArray[np.float64]:
    offsets = (np.arange(length) - (length - 1) / 2) / (CENTRE_SIGMA * length)
    return np.exp(-(offsets**2) / 2) if length > 1 else np.ones(1)
