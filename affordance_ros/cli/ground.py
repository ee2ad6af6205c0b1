# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""affordance-ground: heatmaps and targets for photos, without ROS."""

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from affordance_ros.cli.ground_names import Names
from affordance_ros.cli.ground_names import split_inputs
from affordance_ros.cli.options import CALL_ERRORS
from affordance_ros.cli.options import add_predictor_options
from affordance_ros.cli.options import introduce
from affordance_ros.cli.options import load_predictor
from affordance_ros.image.source_frame import SourceError
from affordance_ros.predictor import Grounding
from affordance_ros.predictor import Predictor
from affordance_ros.sources import find_images
from affordance_ros.sources import read_image
from affordance_ros.targets.mask import draw_mask
from affordance_ros.targets.target import Target
from affordance_ros.viz.overlay import draw_overlay
from affordance_ros.viz.rerun_log import Recording
from affordance_ros.viz.rerun_log import record

_LOG = logging.getLogger('affordance-ground')
_SUFFIXES = ('overlay.png', 'heatmap.png', 'mask.png', 'heatmap.npy')


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(
        prog='affordance-ground',
        description='Find where photos afford a command such as "cut" or "hold the mug".',
        epilog='Targets come on stdout, one JSON object a line for each photo and command.',
    )
    parser.add_argument(
        'inputs', nargs='*', metavar='PHOTO... COMMAND', help='photos or folders, then the command'
    )
    parser.add_argument(
        '-c', '--command', action='append', default=[], help='a further command; may be repeated'
    )
    parser.add_argument(
        '-o', '--out', type=Path, help='folder for overlay, heatmap and mask PNG, and heatmap npy'
    )
    parser.add_argument('--rerun', type=Path, metavar='FILE.rrd', help='also record for rerun')
    parser.add_argument('--describe', action='store_true', help='print the model and stop')
    add_predictor_options(parser)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return 0, 1 if some photos could not be used, 2 for a wrong call."""
    logging.basicConfig(format='%(name)s: %(message)s', stream=sys.stderr, level=logging.INFO)
    parser = build_parser()
    options = parser.parse_args(arguments)
    if not options.describe and len(options.inputs) < (1 if options.command else 2):
        parser.error('give at least one photo and a command, such as: photo.jpg "cut"')
    try:
        predictor = load_predictor(options)
        if options.describe:
            for name, value in predictor.describe().items():
                sys.stdout.write(f'{name + ":":<22}{value}\n')
            return 0
        return _ground(predictor, options)
    except OSError as error:
        _LOG.error('%s: %s', error.filename or 'writing', error.strerror or error)
        return 2
    except CALL_ERRORS as error:
        _LOG.error('%s', error)
        return 2


def _ground(predictor: Predictor, options: argparse.Namespace) -> int:
    inputs, commands = split_inputs(options.inputs, options.command)
    # Two texts can be one command once they are cleaned.
    commands = list(dict.fromkeys(predictor.check_command(text) for text in commands))
    predictor.set_commands(commands)
    introduce(predictor, commands, log=_LOG)
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
    found = (p for name in inputs for p in _expand(Path(name).expanduser()))
    photos = list(dict.fromkeys(found))
    with record(options.rerun) as recording:
        failed = _ground_photos(predictor, photos, Names(photos, commands), options.out, recording)
    return 1 if failed else 0


def _ground_photos(
    predictor: Predictor,
    photos: Sequence[Path],
    names: Names,
    out: Path | None,
    recording: Recording | None,
) -> int:
    """Answer photos; return how many could not be read."""
    failed = 0
    for path in tqdm(photos, unit='photo', disable=len(photos) < 2 or not sys.stderr.isatty()):
        try:
            image = read_image(path)
        except SourceError as error:
            _LOG.error('%s', error)
            failed += 1
            continue
        for grounding in predictor.predict_all(image, channels='bgr'):
            sys.stdout.write(json.dumps(_to_json(path, grounding)) + '\n')
            if out is None and recording is None:
                continue
            overlay = draw_overlay(
                image, grounding.heatmap, targets=grounding.targets, caption=grounding.command
            )
            if out is not None:
                _write(out, names.of(path, grounding.command), overlay, grounding)
            if recording is not None:
                recording.log(
                    image,
                    text=f'{names.photos[path]}: {grounding.command}',
                    targets=grounding.targets,
                    overlay_bgr=overlay,
                    heatmap=grounding.heatmap,
                )
    return failed


def _expand(path: Path) -> list[Path]:
    return find_images(path) if path.is_dir() else [path]


def _to_json(path: Path, grounding: Grounding) -> dict[str, object]:
    height, width = grounding.size
    return {
        'image': str(path),
        'width': width,
        'height': height,
        'command': grounding.command,
        'max': round(float(grounding.heatmap.max()), 6),
        'targets': [_target_to_json(t) for t in grounding.targets],
    }


def _target_to_json(target: Target) -> dict[str, object]:
    values: dict[str, object] = {
        'x': round(target.x, 3),
        'y': round(target.y, 3),
        'score': round(target.score, 6),
    }
    if target.region is not None:
        values |= {'bbox': list(target.region.bbox), 'area_px': target.region.area_px}
    return values


def _write(folder: Path, name: str, overlay: np.ndarray, grounding: Grounding) -> None:
    overlay_path, heatmap_path, mask_path, array_path = (
        folder / f'{name}.{suffix}' for suffix in _SUFFIXES
    )
    _write_png(overlay_path, overlay)
    _write_png(heatmap_path, (grounding.heatmap * 255).round().astype(np.uint8))
    _write_png(mask_path, draw_mask(grounding.targets, grounding.size))
    np.save(array_path, grounding.heatmap)


def _write_png(path: Path, pixels: np.ndarray) -> None:
    _, data = cv2.imencode('.png', pixels)
    path.write_bytes(data.tobytes())
