# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Options that the command line tools share, and what they do with them."""

import argparse
import logging
from collections.abc import Sequence
from typing import TypeAlias

from affordance_ros.backends.base import AUTO
from affordance_ros.backends.base import BACKENDS
from affordance_ros.backends.base import PRECISIONS
from affordance_ros.backends.base import BackendConfig
from affordance_ros.backends.base import BackendError
from affordance_ros.image.source_frame import SourceError
from affordance_ros.model.config import BACKGROUNDS
from affordance_ros.model.config import ModelConfig
from affordance_ros.model.errors import CheckpointError
from affordance_ros.model.errors import WeightsError
from affordance_ros.predictor import Predictor
from affordance_ros.predictor import PredictorConfig
from affordance_ros.predictor import default_backend
from affordance_ros.text.commands import CommandError
from affordance_ros.text.commands import command_warning
from affordance_ros.viz.rerun_log import RecordingError

# What `add_argument_group` returns; argparse has no public name for it.
ArgumentGroup: TypeAlias = argparse._ArgumentGroup
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


def add_predictor_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which model answers, what runs it, and which targets are told."""
    add_model_options(parser)
    add_target_options(parser)
    add_backend_options(parser)


def add_weight_options(parser: argparse.ArgumentParser | ArgumentGroup) -> None:
    """Add the options that name a model and its weights."""
    config = ModelConfig()
    parser.add_argument('--model', default=config.model, help='trunk (default: %(default)s)')
    parser.add_argument(
        '--weights', default=config.weights, help="file, tag or random (default: the model's own)"
    )
    parser.add_argument(
        '--checkpoint', default=config.checkpoint, help='trained neck and head (safetensors)'
    )
    parser.add_argument(
        '--head',
        default=config.head,
        help="training-free head without a checkpoint, such as maskclip (default: the trunk's)",
    )
    parser.add_argument(
        '--background',
        choices=BACKGROUNDS,
        default=config.background,
        help='what a training-free head compares with (default: %(default)s)',
    )
    parser.add_argument(
        '--input-size', type=int, default=0,
        help='long side in pixels, a multiple of 32 (default: as trained)',
    )  # fmt: skip


def add_model_options(parser: argparse.ArgumentParser) -> ArgumentGroup:
    """Add the options that say which model answers, and how; return their group."""
    group = parser.add_argument_group('model')
    add_weight_options(group)
    group.add_argument('--device', default=ModelConfig().device, help='auto, cpu, cuda or cuda:N')
    group.add_argument(
        '--prompt-set',
        default=PredictorConfig().prompt_set,
        help='auto, verb, ensemble, parts or YAML',
    )
    return group


def add_target_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which targets are told."""
    config = PredictorConfig()
    group = parser.add_argument_group('targets')
    for name, meaning in (
        ('min_score', 'least score of a target'),
        ('min_prominence', 'how deep a saddle parts two targets, as a share of the lower score'),
        ('region_share', "least heat of a region's pixels, as a share of the score"),
        ('min_distance_px', 'least distance between targets'),
        ('min_area_px', "least area of a target's region"),
        ('max_area_px', 'greatest area; 0: any'),
        ('max_targets', 'how many targets at most'),
    ):
        default = getattr(config, name)
        group.add_argument(
            f'--{name.replace("_", "-")}',
            type=type(default),
            default=default,
            help=f'{meaning} (default: {default})',
        )


def model_config(options: argparse.Namespace) -> ModelConfig:
    """Return what the options say of the model; on the CPU where they name no device."""
    return ModelConfig(
        options.model,
        options.weights,
        options.checkpoint,
        getattr(options, 'device', 'cpu'),
        options.head,
        options.background,
    )


def load_predictor(options: argparse.Namespace) -> Predictor:
    """Load what the options of `add_predictor_options` name; raises as `Predictor.load` does."""
    return Predictor.load(
        model_config(options),
        PredictorConfig(
            input_size=options.input_size,
            prompt_set=options.prompt_set,
            min_score=options.min_score,
            min_prominence=options.min_prominence,
            region_share=options.region_share,
            min_distance_px=options.min_distance_px,
            min_area_px=options.min_area_px,
            max_area_px=options.max_area_px,
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
        choices=(AUTO, *BACKENDS),
        help='default: auto for a model that runs without torch, else torch',
    )
    group.add_argument(
        '--precision', default=AUTO, choices=(AUTO, *PRECISIONS), help='default: %(default)s'
    )
    group.add_argument('--cache-dir', default='', help="default: the user's cache; off: none")
    group.add_argument('--num-threads', type=int, default=0, help='0: as the backend chooses')


def backend_config(options: argparse.Namespace) -> BackendConfig:
    """Return what those options say."""
    return BackendConfig(
        options.backend or default_backend(model_config(options)),
        options.precision,
        options.cache_dir,
        options.num_threads,
    )
