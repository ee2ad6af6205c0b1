# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""affordance-train: train the neck and head on referring expressions."""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from affordance_ros.model.errors import WeightsError
from affordance_ros.safe_io.atomic import DiskFullError
from affordance_ros_training.config import TrainConfig
from affordance_ros_training.distributed import join_processes
from affordance_ros_training.loss import TrainingError
from affordance_ros_training.refer import DatasetError
from affordance_ros_training.run import TrainingRun
from affordance_ros_training.run_state import ResumeError
from affordance_ros_training.yaml_config import load_config


def main(argv: Sequence[str] | None = None) -> int:
    """Train, or go on training; return the exit status."""
    parser = argparse.ArgumentParser(prog='affordance-train', description=__doc__)
    parser.add_argument('--config', type=Path, help='a YAML file; see training/configs')
    parser.add_argument('--out', help="the run's folder, in place of run.out")
    parser.add_argument('--resume', action='store_true', help='go on with the run in the folder')
    parser.add_argument(
        '--set',
        action='append',
        default=[],
        metavar='KEY=VALUE',
        help='change one value of the configuration, such as optim.epochs=3; may be repeated',
    )
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format='%(levelname)s %(name)s: %(message)s')
    overrides = [*arguments.set, *([f'run.out={arguments.out}'] if arguments.out else [])]
    try:
        config = load_config(TrainConfig, arguments.config, overrides=overrides)
        with join_processes(config.run.device) as processes:
            TrainingRun(config, processes, resume=arguments.resume).train()
    except (
        DatasetError,
        WeightsError,
        ResumeError,
        TrainingError,
        DiskFullError,
        ValueError,
    ) as error:
        # ConfigError is a ValueError.
        sys.stderr.write(f'affordance-train: {error}\n')
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
