# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Options that the command line tools share, and what they do with them."""

import argparse
import logging
from collections.abc import Sequence

from affordance_ros.backends.base import AUTO
from affordance_ros.backends.base import BACKENDS
from affordance_ros.backends.base import PRECISIONS
from affordance_ros.backends.base import BackendConfig
from affordance_ros.backends.base import BackendError
from affordance_ros.image.source_frame import SourceError
from affordance_ros.model.config import ModelConfig
from affordance_ros.model.errors import CheckpointError
from affordance_ros.model.errors import WeightsError
from affordance_ros.predictor import Predictor
from affordance_ros.predictor import PredictorConfig
from affordance_ros.text.commands import CommandError
from affordance_ros.text.commands import command_warning
from affordance_ros.viz.rerun_log import RecordingError

# What a person can have done wrong; the text says what.
CALL_ERRORS = (
    BackendError,
    CheckpointError,
    CommandError,
    RecordingError,
    SourceError,
    ValueError,
    WeightsError,
)


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which model answers, and how."""
    model, predictor = ModelConfig(), PredictorConfig()
    group = parser.add_argument_group('model')
    group.add_argument('--model', default=model.model, help='trunk (default: %(default)s)')
    group.add_argument(
        '--weights', default=model.weights, help="file, tag or random (default: the model's own)"
    )
    group.add_argument('--checkpoint', default='', help='trained neck and head (safetensors)')
    group.add_argument('--device', default=model.device, help='auto, cpu, cuda or cuda:N')
    group = parser.add_argument_group('answers')
    group.add_argument(
        '--input-size', type=int, default=0, help='long side in pixels, a multiple of 32'
    )
    group.add_argument('--prompt-set', default=predictor.prompt_set, help='verb, ensemble or YAML')
    group.add_argument('--min-score', type=float, default=predictor.min_score)
    group.add_argument('--min-distance-px', type=float, default=predictor.min_distance_px)
    group.add_argument('--max-targets', type=int, default=predictor.max_targets)
    add_backend_options(parser)


def load_predictor(options: argparse.Namespace) -> Predictor:
    """Load what the options of `add_model_options` name; raises as `Predictor.load` does."""
    return Predictor.load(
        ModelConfig(options.model, options.weights, options.checkpoint, options.device),
        PredictorConfig(
            input_size=options.input_size,
            prompt_set=options.prompt_set,
            min_score=options.min_score,
            min_distance_px=options.min_distance_px,
            max_targets=options.max_targets,
        ),
        backend_config(options),
    )


def introduce(predictor: Predictor, commands: Sequence[str], *, log: logging.Logger) -> None:
    """Say which model answers, and warn where its answers or the commands are in doubt."""
    for command in commands:
        if warning := command_warning(command):
            log.warning('%s', warning)
    if predictor.model.untrained:
        log.warning('the model is UNTRAINED: its heatmaps mean nothing')
    model = predictor.model
    log.info('%s, %s', model.name, model.decoder_description)
    log.info('backend %s: %s', predictor.backend.description, predictor.choice.reason)


def add_backend_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what runs the model."""
    group = parser.add_argument_group('backend')
    group.add_argument(
        '--backend',
        default='torch',
        choices=(AUTO, *BACKENDS),
        help='default: torch, which has nothing to compile',
    )
    group.add_argument(
        '--precision', default=AUTO, choices=(AUTO, *PRECISIONS), help='default: %(default)s'
    )
    group.add_argument('--cache-dir', default='', help="default: the user's cache; off: none")
    group.add_argument('--num-threads', type=int, default=0, help='0: as the backend chooses')


def backend_config(options: argparse.Namespace) -> BackendConfig:
    """Return what those options say."""
    return BackendConfig(
        options.backend, options.precision, options.cache_dir, options.num_threads
    )
