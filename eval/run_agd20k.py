# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Evaluate a model or a baseline on a data set in AGD20K's layout."""

import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from affordance_ros.backends.base import BackendConfig
from affordance_ros.model.config import ModelConfig
from affordance_ros.predictor import Predictor
from affordance_ros.predictor import PredictorConfig
from affordance_ros_eval.agd20k import Item
from affordance_ros_eval.agd20k import Listing
from affordance_ros_eval.agd20k import facts
from affordance_ros_eval.agd20k import list_split
from affordance_ros_eval.errors import EvaluationError
from affordance_ros_eval.errors import Problem
from affordance_ros_eval.inference import BASELINES
from affordance_ros_eval.inference import DEFAULT_TEMPLATE
from affordance_ros_eval.inference import baseline_map
from affordance_ros_eval.inference import describe_predictor
from affordance_ros_eval.inference import predict_items
from affordance_ros_eval.metrics import DEFAULT_PROTOCOL
from affordance_ros_eval.metrics import find_protocol
from affordance_ros_eval.partial import Stop
from affordance_ros_eval.partial import collect
from affordance_ros_eval.prediction_folder import PredictionFolder
from affordance_ros_eval.results import Results
from affordance_ros_eval.scoring import ImageScore
from affordance_ros_eval.scoring import MapSource
from affordance_ros_eval.scoring import score_items
from affordance_ros_training.distributed import Processes
from affordance_ros_training.distributed import join_processes

_LOG = logging.getLogger('affordance-eval')


@dataclass(frozen=True)
class Agd20kConfig:
    """An evaluation on AGD20K or a folder like it.

    Attributes:
        root: The folder that holds the splits.
        split: Seen, Unseen, or another folder's name.
        out: Where predictions go.
        protocol: A name in `affordance_ros_eval.metrics.PROTOCOLS`.
        test_folder: testset or testsetv2; empty takes the protocol's own.
        model: Which model, where no baseline is asked for.
        predictor: How it reads images and commands.
        backend: What runs it.
        baseline: centre, uniform, or empty for the model.
        template: How a command is made of the affordance and the object.
        smooth: The sigma of a Gaussian over the raw map in pixels; 0 for none.
        limit: At most so many images, spread evenly; 0 for all.
        workers: Processes that read images.
        batch: Images in one pass of the model.
        name: What tables call the method; empty makes one up.
        supervision: What it was trained with; empty makes one up.
    """

    root: Path
    split: str
    out: Path
    protocol: str = DEFAULT_PROTOCOL
    test_folder: str = ''
    model: ModelConfig = field(default_factory=ModelConfig)
    predictor: PredictorConfig = field(default_factory=PredictorConfig)
    backend: BackendConfig = field(default_factory=lambda: BackendConfig('torch'))
    baseline: str = ''
    template: str = DEFAULT_TEMPLATE
    smooth: float = 0.0
    limit: int = 0
    workers: int = 2
    batch: int = 1
    name: str = ''
    supervision: str = ''

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        find_protocol(self.protocol)
        if self.baseline and self.baseline not in BASELINES:
            raise ValueError(f'baseline {self.baseline!r} is unknown; known are {BASELINES}')
        if self.smooth < 0 or self.limit < 0 or self.workers < 0:
            raise ValueError('smooth, limit and workers must not be negative')
        if self.batch < 1:
            raise ValueError(f'batch {self.batch} must be at least 1')


def run_agd20k(config: Agd20kConfig) -> Results | None:
    """Predict what is not predicted yet, and score all there is.

    Under torchrun the processes share the images; the first one scores.

    Returns:
        The results; None in the processes that only predict.

    Raises:
        EvaluationError: If the data or saved predictions can't be used, or if it was stopped
            before anything was predicted.
    """
    protocol = find_protocol(config.protocol)
    listing = list_split(
        config.root, config.split, test_folder=config.test_folder or protocol.test_folder
    )
    for warning in listing.warnings:
        _LOG.warning('%s', warning)
    items = _spread(listing.items, config.limit)
    device = 'cpu' if config.baseline else config.model.device
    with join_processes(device) as processes:
        if config.baseline:
            return _score_baseline(config, listing, items) if processes.first else None
        return _predict_and_score(config, listing, items, processes)


def _score_baseline(config: Agd20kConfig, listing: Listing, items: Sequence[Item]) -> Results:
    stop = Stop()
    scores, problems = _score(
        config, items, lambda item: baseline_map(item, config.baseline), stop
    )
    settings = {'baseline': config.baseline}
    return _results(config, listing, settings, scores, [*listing.missing_truth, *problems], stop)


def _predict_and_score(
    config: Agd20kConfig, listing: Listing, items: Sequence[Item], processes: Processes
) -> Results | None:
    model = config.model
    if processes.world > 1:
        model = replace(model, device=str(processes.device))
    predictor = Predictor.load(model, config.predictor, config.backend)
    if predictor.model.untrained:
        _LOG.warning('the model is UNTRAINED: its heatmaps mean nothing')
    settings = {**describe_predictor(predictor), 'command_template': config.template}
    source = {'images': str((listing.folder / 'egocentric').resolve())}
    folder = PredictionFolder(config.out / 'predictions', {**settings, **source})
    problems = list(listing.missing_truth)
    there = sum(map(folder.has, items))
    if there:
        _LOG.info('%d of %d images are predicted already', there, len(items))
    stop = Stop()
    with stop.catch():
        for problem in predict_items(
            items[processes.rank :: processes.world],
            predictor,
            folder,
            template=config.template,
            workers=config.workers,
            batch=config.batch,
            progress=processes.first and sys.stderr.isatty(),
        ):
            _LOG.warning('%s: %s', problem.kind, problem.text)
            problems.append(problem)
    processes.wait()
    if not processes.first:
        return None
    predicted = [item for item in items if folder.has(item)]
    if not predicted:
        why = stop.reason or '\n'.join(problem.text for problem in problems[:5])
        raise EvaluationError(f'not one of {len(items)} images was predicted: {why}')
    known = {problem.key for problem in problems}
    problems += [
        Problem(item.key, 'not predicted', 'it had not been predicted when the run stopped')
        for item in items
        if item.key not in known and not folder.has(item)
    ]
    scores, more = _score(config, predicted, folder.read, stop)
    return _results(config, listing, settings, scores, [*problems, *more], stop)


def _score(
    config: Agd20kConfig, items: Sequence[Item], source: MapSource, stop: Stop
) -> tuple[list[ImageScore], list[Problem]]:
    entries = score_items(
        items, source, protocol=config.protocol, smooth=config.smooth, same_size=True
    )
    return collect(entries, total=len(items), stop=stop)


def _results(
    config: Agd20kConfig,
    listing: Listing,
    settings: dict[str, Any],
    scores: Sequence[ImageScore],
    problems: Sequence[Problem],
    stop: Stop,
) -> Results:
    warnings = list(listing.warnings)
    if config.limit and len(listing.items) > config.limit:
        warnings.append(
            f'only {config.limit:,} of {len(listing.items):,} images were asked for: the result '
            f'does not compare with the literature'
        )
    if listing.missing_image:
        warnings.append(f'{len(listing.missing_image):,} ground truths have no image')
    title = f'{"AGD20K" if listing.real else config.root.name} {listing.split}'
    data: dict[str, Any] = {
        'title': title,
        'root': str(config.root),
        'split': listing.split,
        'test_folder': listing.folder.name,
        'real': listing.real,
        'truth_sha256': listing.digest(),
        'warnings': warnings,
    }
    if listing.real and listing.split in facts()['images']:
        data['published_images'] = facts()['images'][listing.split]
    if stop.reason:
        settings = {**settings, 'stopped_by': stop.reason}
    return Results(
        name=config.name or _default_name(config, str(settings.get('decoder', ''))),
        supervision=config.supervision or _default_supervision(config),
        protocol=config.protocol,
        config={**settings, 'smooth': config.smooth, 'limit': config.limit},
        data=data,
        scores=scores,
        problems=problems,
        complete=not stop.reason,
    )


def _default_name(config: Agd20kConfig, decoder: str) -> str:
    if config.baseline:
        return f'baseline: {config.baseline}'
    checkpoint = config.model.checkpoint_in_use
    # A training-free head is called by the method that it computes.
    kind = Path(checkpoint).stem if checkpoint else decoder.partition(' (')[0]
    return f'affordance_ros {config.model.model}, {kind}'


def _default_supervision(config: Agd20kConfig) -> str:
    if config.baseline:
        return 'none'
    return 'zero-shot' if config.model.checkpoint_in_use else 'zero-shot, training-free'


def _spread(items: Sequence[Item], most: int) -> list[Item]:
    if not most or len(items) <= most:
        return list(items)
    return [items[int(place)] for place in np.linspace(0, len(items) - 1, most)]
