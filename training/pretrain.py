# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""affordance-pretrain: pretrain the compact CLIP on an image-caption list."""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from affordance_ros.model.errors import WeightsError
from affordance_ros.safe_io.atomic import DiskFullError
from training.captions import CaptionListError
from training.pretrain_config import PretrainConfig
from training.pretrain_run import PretrainRun
from training.run_state import ResumeError
from training.yaml_config import load_config


def main(argv: Sequence[str] | None = None) -> int:
    """Pretrain, or go on pretraining; return the exit status."""
    parser = argparse.ArgumentParser(prog='affordance-pretrain', description=__doc__)
    parser.add_argument('--config', type=Path, help='a YAML file; see training/configs')
    parser.add_argument('--out', help="the run's folder, in place of out")
    parser.add_argument('--resume', action='store_true', help='go on with the run in the folder')
    parser.add_argument(
        '--set',
        action='append',
        default=[],
        metavar='KEY=VALUE',
        help='change one value of the configuration, such as minutes=5; may be repeated',
    )
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format='%(levelname)s %(name)s: %(message)s')
    overrides = [*arguments.set, *([f'out={arguments.out}'] if arguments.out else [])]
    try:
        config = load_config(PretrainConfig, arguments.config, overrides=overrides)
        PretrainRun(config, resume=arguments.resume).train()
    except (CaptionListError, ResumeError, WeightsError, DiskFullError, ValueError) as error:
        # ConfigError is a ValueError.
        sys.stderr.write(f'affordance-pretrain: {error}\n')
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
