# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The HTML report: one file that needs no network; images are data URIs, charts inline SVG."""

import logging
import math
from collections.abc import Callable
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from affordance_ros_eval.agd20k import Item
from affordance_ros_eval.agd20k import list_split
from affordance_ros_eval.agd20k import read_image
from affordance_ros_eval.agd20k import read_truth
from affordance_ros_eval.charts import bars
from affordance_ros_eval.charts import cumulative_curve
from affordance_ros_eval.comparison import comparison_lines
from affordance_ros_eval.comparison import comparison_notes
from affordance_ros_eval.errors import ImageProblemError
from affordance_ros_eval.html import page
from affordance_ros_eval.html import table
from affordance_ros_eval.maps import find_map
from affordance_ros_eval.maps import read_map
from affordance_ros_eval.metrics import HIGHER_IS_BETTER
from affordance_ros_eval.metrics import METRICS
from affordance_ros_eval.metrics import find_protocol
from affordance_ros_eval.results import Results
from affordance_ros_eval.run_score import ScoreConfig
from affordance_ros_eval.run_score import list_truths
from affordance_ros_eval.scoring import ImageScore
from affordance_ros_eval.summary import Mean
from affordance_ros_eval.summary import group_means
from affordance_ros_eval.summary import value_of
from affordance_ros_eval.tables import all_counts
from affordance_ros_eval.tables import comparison_cells
from affordance_ros_eval.tables import comparison_head
from affordance_ros_eval.tables import number
from affordance_ros_eval.tables import setting_rows
from affordance_ros_eval.thumbnails import overlay_uri
from affordance_ros_eval.thumbnails import photo_uri

if TYPE_CHECKING:
    from affordance_ros_eval.run_agd20k import Agd20kConfig

_LOG = logging.getLogger('affordance-eval')
_EXTREMES = 9
_PER_AFFORDANCE = 4
_PROBLEMS = 50
_WORDS = 3  # of a comparison's columns; the others are numbers
# Gives the item and the map of a score.
MapLookup = Callable[[ImageScore], tuple[Item, NDArray[np.float32]]]


def agd20k_maps(config: 'Agd20kConfig') -> MapLookup:
    """Return where an AGD20K evaluation's images and maps are found."""
    from affordance_ros_eval.inference import baseline_map

    folder = config.test_folder or find_protocol(config.protocol).test_folder
    listing = list_split(config.root, config.split, test_folder=folder)
    items = {item.key: item for item in listing.items}

    def look_up(score: ImageScore) -> tuple[Item, NDArray[np.float32]]:
        item = items[score.key]
        if config.baseline:
            return item, baseline_map(item, config.baseline)
        return item, read_map(config.out / 'predictions' / f'{item.key}.npy')

    return look_up


def score_maps(config: ScoreConfig) -> MapLookup:
    """Return where scored maps and their images are found."""
    items = {item.key: item for item in list_truths(config.truths, images=config.images)}

    def look_up(score: ImageScore) -> tuple[Item, NDArray[np.float32]]:
        item = items[score.key]
        return item, read_map(find_map(config.predictions, item))

    return look_up


def write_report(results: Results, path: Path, look_up: MapLookup) -> None:
    """Write the report.

    Args:
        results: What to show.
        path: The HTML file.
        look_up: Gives each shown score's item and map.
    """
    path.write_text(report_html(results, look_up), encoding='utf-8')
    _LOG.info('report: %s (%.1f MB)', path, path.stat().st_size / 1e6)


def report_html(results: Results, look_up: MapLookup) -> str:
    """Return the report's HTML; arguments as for `write_report`."""
    summary = results.summary()
    title = f'{results.name} on {results.data.get("title", "predictions")}'
    ranked = _ranked(results.scores)
    body = [
        f'<h1>{escape(title)}</h1>',
        f'<p class="soft">Protocol {escape(results.protocol)}, smoothing '
        f'{results.config.get("smooth") or "off"}, {escape(results.created)}</p>',
        _stopped(results),
        _tiles(summary),
        '<h2>Beside published methods</h2>',
        _comparison(results, summary),
        '<h2>What was scored</h2>',
        _counts(results),
        '<h2>Distributions</h2>',
        '<p class="soft">The share of images at or below each value.</p>',
        _curves(results.scores, summary),
        _affordance_bars(results.scores),
        '<h2>Best images by KLD</h2>',
        '<p class="soft">Photo, ground truth, prediction. Maps are stretched to their own range, '
        'as the min-max protocols do; the raw maximum stands below.</p>',
        _cards(ranked[:_EXTREMES], look_up),
        '<h2>Worst images by KLD</h2>',
        _cards(ranked[::-1][:_EXTREMES], look_up),
        '<h2>Gallery by affordance</h2>',
        '<p class="soft">From each affordance its best, its worst, and two between.</p>',
        _gallery(ranked, look_up),
        '<h2>Settings</h2>',
        table(('setting', 'value'), setting_rows(results), value_column=1),
    ]
    return page(title, body)


def _ranked(scores: Sequence[ImageScore]) -> list[ImageScore]:
    """Return the scores with a KLD and a truth, best first."""
    kept = [s for s in scores if not math.isnan(s.kld) and not s.zero_truth]
    return sorted(kept, key=lambda score: score.kld)


def _stopped(results: Results) -> str:
    if results.complete:
        return ''
    why = escape(str(results.config.get('stopped_by', 'interrupted')))
    return f'<p class="stopped">Stopped early ({why}): these are partial results.</p>'


def _tiles(summary: dict[str, Mean]) -> str:
    tiles = []
    for name, mean in summary.items():
        arrow = 'higher is better' if HIGHER_IS_BETTER.get(name, True) else 'lower is better'
        extra = f'<br>no value: {mean.undefined:,}' if mean.undefined else ''
        tiles.append(
            f'<div class="tile">{name.upper() if name in METRICS else name}'
            f'<b>{number(mean.mean)}</b><span class="soft">{number(mean.low)} to '
            f'{number(mean.high)}<br>{arrow}, {mean.count:,} images{extra}</span></div>'
        )
    return f'<div class="tiles">{"".join(tiles)}</div>'


def _comparison(results: Results, summary: dict[str, Mean]) -> str:
    rows = []
    for line in comparison_lines(results, summary):
        cells = comparison_cells(line)
        words = ''.join(f'<td>{escape(cell)}</td>' for cell in cells[:_WORDS])
        numbers = ''.join(f'<td class="number">{escape(cell)}</td>' for cell in cells[_WORDS:])
        rows.append(f'<tr{" class=ours" if line.ours else ""}>{words}{numbers}</tr>')
    notes = ''.join(f'<p class="soft">{escape(note)}</p>' for note in comparison_notes(results))
    head = ''.join(f'<th>{escape(word)}</th>' for word in comparison_head())
    return f'{notes}<div class="scroll"><table><tr>{head}</tr>{"".join(rows)}</table></div>'


def _counts(results: Results) -> str:
    rows = [(name, f'{count:,}') for name, count in all_counts(results).items()]
    warnings = ''.join(f'<li>{escape(text)}</li>' for text in results.data.get('warnings', ()))
    shown = results.problems[:_PROBLEMS]
    problems = ''.join(f'<li>{escape(p.kind)}: {escape(p.text)}</li>' for p in shown)
    more = len(results.problems) - len(shown)
    return (
        table(('', 'images'), rows)
        + (f'<ul>{warnings}</ul>' if warnings else '')
        + (
            f'<details><summary>{len(results.problems):,} skipped</summary><ul>{problems}</ul>'
            f'{f"and {more:,} more, in results.json" if more else ""}</details>'
            if problems
            else ''
        )
    )


def _curves(scores: Sequence[ImageScore], summary: dict[str, Mean]) -> str:
    charts = []
    for name in METRICS:
        values = [v for s in scores if not math.isnan(v := value_of(s, name))]
        charts.append(cumulative_curve(values, title=name.upper(), mean=summary[name].mean))
    return f'<div class="charts">{"".join(charts)}</div>'


def _affordance_bars(scores: Sequence[ImageScore]) -> str:
    groups = group_means(scores, lambda score: score.affordance or '-')
    counts = {name: int(row['images']) for name, row in groups.items()}
    charts = []
    for measure in ('kld', 'nss'):
        sign = -1 if HIGHER_IS_BETTER[measure] else 1
        best = {name: sign * row[measure] for name, row in groups.items()}
        ordered = sorted(groups, key=_best_first(best))
        values = {name: groups[name][measure] for name in ordered}
        charts.append(
            bars(values, counts=counts, title=f'{measure.upper()} by affordance, best first')
        )
    return f'<div class="charts">{"".join(charts)}</div>'


def _best_first(values: dict[str, float]) -> Callable[[str], tuple[bool, float, str]]:
    """Return a sorting key: low values first, names without a value last."""
    return lambda name: (math.isnan(values[name]), values[name], name)


def _gallery(ranked: Sequence[ImageScore], look_up: MapLookup) -> str:
    parts = []
    for affordance in sorted({score.affordance for score in ranked}):
        own = [score for score in ranked if score.affordance == affordance]
        places = np.unique(np.linspace(0, len(own) - 1, _PER_AFFORDANCE).round().astype(int))
        cards = _cards([own[place] for place in places], look_up)
        parts.append(
            f'<details open><summary>{escape(affordance or "-")} ({len(own):,})</summary>{cards}'
            f'</details>'
        )
    return ''.join(parts)


def _cards(scores: Sequence[ImageScore], look_up: MapLookup) -> str:
    return f'<div class="cards">{"".join(_card(score, look_up) for score in scores)}</div>'


def _card(score: ImageScore, look_up: MapLookup) -> str:
    try:
        item, heatmap = look_up(score)
        truth = read_truth(item.truth)
        if item.image is not None:
            photo = read_image(item.image)
        else:
            photo = np.full((*truth.shape, 3), 90, np.uint8)
    except ImageProblemError as error:
        return f'<figure class="card">{escape(str(error))}</figure>'
    thumbnails = (
        ('photo', photo_uri(photo)),
        ('ground truth', overlay_uri(photo, truth)),
        ('prediction', overlay_uri(photo, heatmap)),
    )
    images = ''.join(
        f'<img alt="{kind} of {escape(score.key, quote=True)}" title="{kind}" src="{uri}">'
        for kind, uri in thumbnails
    )
    pointing = {True: ', target on it', False: ', target off it', None: ''}[score.pointing]
    return (
        f'<figure class="card"><div class="row">{images}</div><figcaption>'
        f'<b>{escape(score.affordance)} {escape(score.object)}</b> '
        f'<span class="soft">{escape(score.name)}</span><br>KLD {number(score.kld)}, SIM '
        f'{number(score.sim)}, NSS {number(score.nss)}{pointing}<br><span class="soft">raw '
        f'maximum {score.peak:.3g}</span></figcaption></figure>'
    )
