# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The command line's options of backends, which all tools share."""

import argparse

from affordance_ros.backends.backend import AUTO
from affordance_ros.backends.backend import BACKENDS
from affordance_ros.backends.backend import PRECISIONS
from affordance_ros.backends.backend import BackendConfig


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
