# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""affordance-eval: score heatmaps by the protocols of the published AGD20K tables."""

import argparse
import logging
import sys
from collections.abc import Callable
from collections.abc import Sequence
from pathlib import Path

from affordance_ros.cli.options import add_backend_options
from affordance_ros_eval.check import add_check
from affordance_ros_eval.check import run_check
from affordance_ros_eval.errors import EvaluationError
from affordance_ros_eval.latex import bibliography
from affordance_ros_eval.latex import latex_by_affordance
from affordance_ros_eval.latex import latex_table
from affordance_ros_eval.masks.cli import add_calibrate
from affordance_ros_eval.masks.cli import add_masks
from affordance_ros_eval.masks.cli import add_names
from affordance_ros_eval.masks.cli import run_calibrate
from affordance_ros_eval.masks.cli import run_masks
from affordance_ros_eval.masks.cli import run_names
from affordance_ros_eval.metrics import DEFAULT_PROTOCOL
from affordance_ros_eval.metrics import PROTOCOLS
from affordance_ros_eval.options import add_eval_model
from affordance_ros_eval.options import add_targets
from affordance_ros_eval.options import add_tracks
from affordance_ros_eval.results import Results
from affordance_ros_eval.results import load_results
from affordance_ros_eval.tables import console_summary
from affordance_ros_eval.tables import markdown_report

_LOG = logging.getLogger('affordance-eval')
# Problems that the protocols themselves pass over, so that they don't fail a run.
_PASSED_OVER = ('no ground truth',)


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog='affordance-eval', description=__doc__)
    commands = parser.add_subparsers(dest='command', required=True)
    _add_agd20k(commands.add_parser('agd20k', help='a model or baseline on AGD20K or its like'))
    _add_score(commands.add_parser('score', help="anybody's saved maps against ground truths"))
    several = commands.add_parser('compare', help='paired differences of results.json files')
    several.add_argument('a', type=Path, help='results.json of A')
    several.add_argument('b', type=Path, nargs='+', help='of B, or of all that A is held against')
    runs = commands.add_parser('seeds', help='mean and deviation over runs of several seeds')
    runs.add_argument('results', type=Path, nargs='+', help='their results.json')
    add_check(commands.add_parser('check', help='whether a folder of AGD20K or RefCOCO is whole'))
    _add_refcoco(commands.add_parser('refcoco', help='referring segmentation, RefCOCO format'))
    add_masks(commands.add_parser('masks', help='photos with masked parts'))
    add_names(commands.add_parser('names', help='names of what is on photos, and of what is not'))
    add_calibrate(commands.add_parser('calibrate', help='fit what the score of a target means'))
    add_targets(commands.add_parser('targets', help='targets on rendered scenes'))
    add_tracks(commands.add_parser('tracks', help='track_ids on rendered sequences'))
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return 0, 1 if images were skipped or it stopped, 2 if it can't."""
    logging.basicConfig(format='%(name)s: %(message)s', stream=sys.stderr, level=logging.INFO)
    options = build_parser().parse_args(arguments)
    run: dict[str, Callable[[argparse.Namespace], int]] = {
        'agd20k': _agd20k,
        'score': _score,
        'compare': _compare,
        'seeds': _seeds,
        'check': run_check,
        'refcoco': _refcoco,
        'masks': run_masks,
        'names': run_names,
        'calibrate': run_calibrate,
        'targets': _targets,
        'tracks': _tracks,
    }
    try:
        return run[options.command](options)
    except (EvaluationError, ValueError, OSError) as error:
        _LOG.error('%s', error)
        return 2
    except RuntimeError as error:  # the model's own: weights, checkpoint, referring data set
        if type(error) is RuntimeError:
            raise
        _LOG.error('%s', error)
        return 2


def write_results(results: Results, folder: Path) -> int:
    """Write results.json, tables and their summary; return the exit status."""
    folder.mkdir(parents=True, exist_ok=True)
    results.save(folder / 'results.json')
    (folder / 'table.md').write_text(markdown_report(results), encoding='utf-8')
    for name, text in (
        ('table.tex', latex_table(results)),
        ('affordances.tex', latex_by_affordance(results)),
        ('table.bib', bibliography(results)),
    ):
        (folder / name).write_text(text, encoding='utf-8')
    sys.stdout.write(console_summary(results))
    sys.stdout.write(f'  written: {folder}/results.json, table.md, *.tex, table.bib\n')
    failed = [p for p in results.problems if p.kind not in _PASSED_OVER]
    if failed:
        _LOG.warning(
            '%d images have no score; the first: %s (all are in results.json)',
            len(failed),
            failed[0].text,
        )
    return 1 if failed or not results.complete else 0


def _agd20k(options: argparse.Namespace) -> int:
    # Imported here: torch takes seconds, and the other commands do without.
    from affordance_ros.cli.options import backend_config
    from affordance_ros.cli.options import model_config
    from affordance_ros.predictor import PredictorConfig
    from affordance_ros_eval.report import agd20k_maps
    from affordance_ros_eval.report import write_report
    from affordance_ros_eval.run_agd20k import Agd20kConfig
    from affordance_ros_eval.run_agd20k import run_agd20k

    out = options.out or Path('out/eval') / f'{options.split}_{_slug(options)}'
    config = Agd20kConfig(
        root=options.root.expanduser(),
        split=options.split,
        out=out,
        protocol=options.protocol,
        test_folder=options.test_folder,
        model=model_config(options),
        predictor=PredictorConfig(
            input_size=options.input_size,
            input_shape=options.input_shape,
            prompt_set=options.prompt_set,
        ),
        backend=backend_config(options),
        baseline=options.baseline,
        template=options.command_template,
        smooth=options.smooth,
        limit=options.limit,
        workers=options.workers,
        batch=options.batch,
        name=options.name,
        supervision=options.supervision,
    )
    results = run_agd20k(config)
    if results is None:  # a process of torchrun that only predicts
        return 0
    status = write_results(results, out / options.protocol)
    if not options.no_html:
        write_report(results, out / options.protocol / 'report.html', agd20k_maps(config))
    return status


def _slug(options: argparse.Namespace) -> str:
    words = options.name or options.baseline or Path(options.checkpoint).stem or options.model
    return ''.join(c if c.isalnum() else '-' for c in words).strip('-')


def _score(options: argparse.Namespace) -> int:
    from affordance_ros_eval.report import score_maps
    from affordance_ros_eval.report import write_report
    from affordance_ros_eval.run_score import ScoreConfig
    from affordance_ros_eval.run_score import run_score

    config = ScoreConfig(
        predictions=options.predictions.expanduser(),
        truths=options.gt.expanduser(),
        protocol=options.protocol,
        images=options.images,
        smooth=options.smooth,
        name=options.name,
        supervision=options.supervision or '?',
    )
    results = run_score(config)
    out = options.out or Path('out/eval') / f'score_{config.predictions.name}'
    status = write_results(results, out / options.protocol)
    if not options.no_html:
        write_report(results, out / options.protocol / 'report.html', score_maps(config))
    return status


def _compare(options: argparse.Namespace) -> int:
    from affordance_ros_eval.compare import comparison_text

    first = load_results(options.a)
    texts = [comparison_text(first, load_results(path)) for path in options.b]
    sys.stdout.write('\n'.join(texts))
    return 0


def _seeds(options: argparse.Namespace) -> int:
    from affordance_ros_eval.seeds import seeds_text

    sys.stdout.write(seeds_text([load_results(path) for path in options.results]))
    return 0


def _refcoco(options: argparse.Namespace) -> int:
    from affordance_ros_eval.refcoco import run_refcoco

    return run_refcoco(options)


def _targets(options: argparse.Namespace) -> int:
    from affordance_ros_eval.run_tabletop import run_targets

    return run_targets(options)


def _tracks(options: argparse.Namespace) -> int:
    from affordance_ros_eval.run_tabletop import run_tracks

    return run_tracks(options)


def _add_agd20k(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--root', type=Path, required=True, help='the folder that holds Seen, ...')
    parser.add_argument('--split', default='Seen', help='Seen, Unseen or another (default: Seen)')
    parser.add_argument('--test-folder', default='', help="default: the protocol's own")
    parser.add_argument('--baseline', default='', help='centre or uniform, in place of a model')
    parser.add_argument(
        '--command-template', default='{affordance}', help='default: {affordance}, as published'
    )
    parser.add_argument('--limit', type=int, default=0, help='at most so many images; for trying')
    parser.add_argument('--workers', type=int, default=2, help='processes that read images')
    parser.add_argument(
        '--batch', type=int, default=1, help='images in one pass (default: 1; 16 suits a GPU)'
    )
    add_eval_model(parser)
    add_backend_options(parser)
    _add_output(parser)


def _add_score(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--predictions', type=Path, required=True, help='npy, npz or png maps')
    parser.add_argument('--gt', type=Path, required=True, help='ground truths, 8 bit grey')
    parser.add_argument('--images', type=Path, help='images, for the report')
    _add_output(parser)


def _add_refcoco(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--root', type=Path, required=True, help='holds a folder per data set')
    parser.add_argument('--dataset', default='refcoco:unc', help='name:split_by')
    parser.add_argument('--split', nargs='+', default=['val', 'testA', 'testB'])
    parser.add_argument('--images', default='', help='the folder of images, if not the usual one')
    parser.add_argument('--converted', type=Path, default=Path('out/converted'))
    parser.add_argument('--max-images', type=int, default=0, help='at most so many; for trying')
    parser.add_argument('--workers', type=int, default=2)
    parser.add_argument('--out', type=Path, default=Path('out/eval/refcoco'))
    add_eval_model(parser)


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--protocol', default=DEFAULT_PROTOCOL, help=', '.join(PROTOCOLS))
    parser.add_argument(
        '--smooth', type=float, default=0.0, help='sigma in pixels of the raw map; default: off'
    )
    parser.add_argument('--out', type=Path, help='default: out/eval/<split>_<model>')
    parser.add_argument('--name', default='', help='what tables call the method')
    parser.add_argument('--supervision', default='', help="the tables' word for its training")
    parser.add_argument('--no-html', action='store_true', help='write no report.html')


if __name__ == '__main__':
    sys.exit(main())
