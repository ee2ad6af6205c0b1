# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The commands `affordance-eval masks`, `names` and `calibrate`."""

import argparse
import json
import logging
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from affordance_ros.backends.base import BackendConfig
from affordance_ros.cli.options import add_backend_options
from affordance_ros.cli.options import add_model_options
from affordance_ros.cli.options import backend_config
from affordance_ros.cli.options import introduce
from affordance_ros.cli.options import model_config
from affordance_ros.predictor import Predictor
from affordance_ros.predictor import PredictorConfig
from affordance_ros_eval.errors import EvaluationError
from affordance_ros_eval.errors import Problem
from affordance_ros_eval.masks.dataset import read_masked_photos
from affordance_ros_eval.tables import markdown_table

if TYPE_CHECKING:
    from affordance_ros_eval.masks.run import MaskResults

_LOG = logging.getLogger('affordance-eval')


def add_masks(parser: argparse.ArgumentParser) -> None:
    """Describe `masks`."""
    parser.add_argument(
        '--root', type=Path, required=True, nargs='+',
        help='folders of annotations.json, images and masks; each is scored on its own',
    )  # fmt: skip
    parser.add_argument('--limit', type=int, default=0, help='at most so many; for trying')
    parser.add_argument('--out', type=Path, help='default: out/eval/masks_<set>')
    parser.add_argument('--no-html', action='store_true', help='write no report.html')
    add_model_options(parser)
    add_backend_options(parser)


def run_masks(options: argparse.Namespace) -> int:
    """Score the sets; return 0, or 1 if some photos could not be scored."""
    from affordance_ros_eval.masks.report import html
    from affordance_ros_eval.masks.report import markdown
    from affordance_ros_eval.masks.run import MaskResults
    from affordance_ros_eval.masks.run import score_photos

    predictor = _load(options)
    introduce(predictor, [], log=_LOG)
    failed = 0
    for root in options.root:
        photos = read_masked_photos(root.expanduser())[: options.limit or None]
        scores, problems = score_photos(predictor, photos)
        results = MaskResults(root.name, scores, problems, settings(predictor))
        out = (options.out or Path('out/eval')) / f'masks_{root.name}'
        out.mkdir(parents=True, exist_ok=True)
        results.save(out / 'results.json')
        (out / 'table.md').write_text(markdown(results), encoding='utf-8')
        if not options.no_html:
            (out / 'report.html').write_text(html(results, predictor, photos), encoding='utf-8')
        sys.stdout.write(_console(results) + f'  written: {out}\n')
        for problem in problems:
            _LOG.warning('%s', problem.text)
        failed += len(problems)
    return 1 if failed else 0


def add_names(parser: argparse.ArgumentParser) -> None:
    """Describe `names`."""
    parser.add_argument(
        '--root', type=Path, required=True, help='the folder of instances.json (COCO) and images'
    )
    parser.add_argument(
        '--all', action='store_true', help='all photos, not only those kept out of training'
    )
    parser.add_argument('--limit', type=int, default=0, help='at most so many; for trying')
    parser.add_argument('--min-score', type=float, default=PredictorConfig().min_score)
    parser.add_argument('--out', type=Path, help='default: out/eval/names_<set>')
    add_model_options(parser)
    add_backend_options(parser)


def run_names(options: argparse.Namespace) -> int:
    """Ask for all names of a set on each photo; return 0."""
    from affordance_ros_eval.masks.names import LEVELS
    from affordance_ros_eval.masks.names import NameScore
    from affordance_ros_eval.masks.names import interval
    from affordance_ros_eval.masks.names import level_rows
    from affordance_ros_eval.masks.names import score_names
    from affordance_ros_training.photos.convert import kept_out
    from affordance_ros_training.photos.photo import read_photos

    min_score = options.min_score
    predictor = _load(options)
    introduce(predictor, [], log=_LOG)
    root = options.root.expanduser()
    everything = read_photos(root / 'instances.json', root / 'images')
    names = sorted({name for photo in everything for name in photo.categories})
    photos = [photo for photo in everything if options.all or photo.id in kept_out()]
    if not photos:
        raise EvaluationError(f'{root} has no photo that is kept out of training: give --all')
    photos = photos[: options.limit or None]
    scores = score_names(predictor, photos, names)
    groups = {
        'absent names with a target': [s for s in scores if not s.present],
        'present names found by the best target': [s for s in scores if s.present],
    }
    shares = {}
    for (title, own), held in zip(groups.items(), (NameScore.told, NameScore.found), strict=True):
        shares[title] = interval([held(s, min_score) for s in own], [s.image for s in own])
    rows = [(f'{a:.2f}', f'{b:.3f}', f'{c:.3f}') for a, b, c in level_rows(scores, LEVELS)]
    head = ('min_score', *groups)
    lines = [f'# {root.name}: {len(photos)} photos, {len(names)} names', '']
    lines += [
        f'- {title}, at min_score {min_score:g}: {share:.3f} ({low:.3f} to {high:.3f}), '
        f'{len(groups[title])} cases'
        for title, (share, low, high) in shares.items()
    ]
    text = '\n'.join([*lines, '', markdown_table(head, rows), ''])
    out = options.out or Path('out/eval') / f'names_{root.name}'
    out.mkdir(parents=True, exist_ok=True)
    content = {
        'min_score': min_score,
        'shares': shares,
        'settings': settings(predictor),
        'scores': [asdict(score) for score in scores],
    }
    (out / 'results.json').write_text(json.dumps(content) + '\n', encoding='utf-8')
    (out / 'table.md').write_text(text, encoding='utf-8')
    sys.stdout.write(text + f'written: {out}\n')
    return 0


def add_calibrate(parser: argparse.ArgumentParser) -> None:
    """Describe `calibrate`."""
    parser.add_argument(
        '--root', type=Path, required=True, nargs='+',
        help='folders of annotations.json, images and masks; fitted on one half of their photos',
    )  # fmt: skip
    parser.add_argument('--save', type=Path, required=True, help='the calibrated checkpoint')
    parser.add_argument('--out', type=Path, default=Path('out/eval/calibration'))
    add_model_options(parser)


def run_calibrate(options: argparse.Namespace) -> int:
    """Fit scores to chances, and write the checkpoint with that; return 0."""
    from affordance_ros.model.calibration import Calibration
    from affordance_ros.model.checkpoint import load_checkpoint
    from affordance_ros.model.checkpoint import save_checkpoint
    from affordance_ros.model.grounding import GroundingModel
    from affordance_ros.model.heads import FPNDecoder
    from affordance_ros_eval.masks.calibration import collect
    from affordance_ros_eval.masks.calibration import fit
    from affordance_ros_eval.masks.calibration import in_fitting_half
    from affordance_ros_eval.masks.calibration import reliability
    from affordance_ros_eval.masks.calibration_report import html

    config = model_config(options)
    predictor = _load(options, BackendConfig('torch'))
    model = predictor.model
    if not isinstance(model, GroundingModel) or not isinstance(model.decoder, FPNDecoder):
        raise EvaluationError(f'{config.model} has no trained FPN to calibrate: give a checkpoint')
    introduce(predictor, [], log=_LOG)
    model.decoder.calibration = Calibration()  # an earlier fit is replaced
    samples = []
    problems: list[Problem] = []
    for root in options.root:
        photos = read_masked_photos(root.expanduser())
        samples += collect(predictor, photos, problems)
    halves = {
        'half that was fitted': [s for s in samples if in_fitting_half(s.image)],
        'other half': [s for s in samples if not in_fitting_half(s.image)],
    }
    calibration = fit(halves['half that was fitted'])
    found = {name: reliability(half, calibration) for name, half in halves.items()}
    path = Path(config.checkpoint_in_use).expanduser()
    decoder, summary = load_checkpoint(path, model.trunk)
    decoder.calibration = calibration
    save_checkpoint(
        options.save.expanduser(),
        decoder,
        trunk=model.trunk,
        prompt_set=summary.prompt_set,
        input_size=options.input_size or summary.input_size,
        training=summary.training,
    )
    options.out.mkdir(parents=True, exist_ok=True)
    title = f'Calibration of {model.name}'
    (options.out / 'report.html').write_text(html(title, calibration, found), encoding='utf-8')
    content = {
        'calibration': asdict(calibration),
        'expected_calibration_error': {name: half.error for name, half in found.items()},
        'bins': {name: asdict(half) for name, half in found.items()},
        'settings': settings(predictor),
    }
    (options.out / 'results.json').write_text(json.dumps(content, indent=1) + '\n', 'utf-8')
    for name, half in found.items():
        count = sum(half.counts)
        sys.stdout.write(f'{name}: expected calibration error {half.error:.3f} ({count})\n')
    sys.stdout.write(f'{calibration}\nwritten: {options.save}, {options.out}\n')
    return 0


def _load(options: argparse.Namespace, backend: BackendConfig | None = None) -> Predictor:
    """Load the model so that the best target counts whatever its score."""
    config = PredictorConfig(
        input_size=options.input_size, prompt_set=options.prompt_set, min_score=0.0
    )
    return Predictor.load(model_config(options), config, backend or backend_config(options))


def settings(predictor: Predictor) -> dict[str, str]:
    """Return what a reader needs to know to get the same numbers."""
    config, calibration = predictor.config, predictor.model.calibration
    return {
        **predictor.describe(),
        'prompt_set': predictor.prompt_set.label,
        'input_size': str(predictor.input_size),
        'input_shape': config.input_shape,
        'calibration': f'{calibration.scale:g} * logit + {calibration.bias:g}',
        'mask_threshold': f'{calibration.mask_threshold:g}',
    }


def _console(results: 'MaskResults') -> str:
    from affordance_ros_eval.masks.report import HEADINGS
    from affordance_ros_eval.masks.report import summary_rows

    lines = [f'{results.name}, prompt set {results.settings["prompt_set"]}']
    for title, count, *cells in summary_rows(results):
        lines.append(f'  {title} ({count} phrases)')
        lines += [
            f'    {name:<30}{cell}' for name, cell in zip(HEADINGS.values(), cells, strict=True)
        ]
    return '\n'.join(lines) + '\n'
