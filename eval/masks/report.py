# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Tables and the HTML report of an evaluation on masked photos."""

from collections.abc import Callable
from collections.abc import Sequence
from html import escape

import cv2
import numpy as np
from numpy.typing import NDArray

from affordance_ros.image.decode import read_image_file
from affordance_ros.predictor import Grounding
from affordance_ros.predictor import Predictor
from affordance_ros_eval.html import page
from affordance_ros_eval.html import table
from affordance_ros_eval.masks.dataset import MaskedPhoto
from affordance_ros_eval.masks.run import MaskResults
from affordance_ros_eval.masks.run import answers
from affordance_ros_eval.masks.run import summarise
from affordance_ros_eval.masks.scores import MEASURES
from affordance_ros_eval.masks.scores import MaskScore
from affordance_ros_eval.tables import markdown_table
from affordance_ros_eval.thumbnails import overlay_uri
from affordance_ros_eval.thumbnails import photo_uri

HEADINGS = {
    'kld': 'KLD (lower)',
    'sim': 'SIM',
    'nss': 'NSS',
    'target_in_mask': 'best target in mask',
    'maximum_in_mask': 'maximum in mask',
    'iou': "gIoU at the model's threshold",
    'iou_half_maximum': 'IoU at half maximum',
}
_SHOWN = 12  # photos of each end of each kind
_KINDS = {'action_object': 'action and object', 'part_object': 'part and object'}
_TARGET = (255, 255, 255)


def kind_title(kind: str) -> str:
    """Return a kind as people say it."""
    return _KINDS.get(kind, kind.replace('_', ' '))


def summary_rows(results: MaskResults) -> list[tuple[str, ...]]:
    """Return a row for each kind: how many phrases, then means with their intervals."""
    rows = []
    for kind in results.kinds():
        count = sum(score.kind == kind for score in results.scores)
        cells = (
            f'{mean:.3f} ({low:.3f} to {high:.3f})'
            for mean, low, high in summarise(results.scores, kind).values()
        )
        rows.append((kind_title(kind), str(count), *cells))
    return rows


def group_rows(
    scores: Sequence[MaskScore], group: Callable[[MaskScore], str]
) -> list[tuple[str, ...]]:
    """Return a row of means for each group, the largest first."""
    groups: dict[str, list[MaskScore]] = {}
    for score in scores:
        groups.setdefault(group(score) or '-', []).append(score)
    ordered = sorted(groups.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    return [
        (name, str(len(own)), *(f'{np.mean([getattr(s, m) for s in own]):.3f}' for m in MEASURES))
        for name, own in ordered
    ]


def markdown(results: MaskResults) -> str:
    """Return all tables as Markdown."""
    head = ('', 'phrases', *HEADINGS.values())
    parts = [
        f'# {results.name}',
        "Means, with 95 % bootstrap intervals over photos. KLD, SIM and NSS as AGD20K's protocol "
        '`locate`, at 224 pixels, with the mask as truth.',
        markdown_table(head, summary_rows(results)),
    ]
    for kind in results.kinds():
        own = [score for score in results.scores if score.kind == kind]
        parts += [f'## By object and part: {kind_title(kind)}']
        parts += [markdown_table(head, group_rows(own, _name))]
    parts += ['## Settings', markdown_table(('setting', 'value'), results.settings.items())]
    parts += [f'- {problem.text}' for problem in results.problems]
    return '\n\n'.join(parts) + '\n'


def html(results: MaskResults, predictor: Predictor, photos: Sequence[MaskedPhoto]) -> str:
    """Return the report, with the best and worst photos of each kind.

    Args:
        results: What to show.
        predictor: Answers the shown photos once more, so that no map has to be kept.
        photos: The set.
    """
    head = ('', 'phrases', *HEADINGS.values())
    body = [
        f'<h1>{escape(results.name)}</h1>',
        f'<p class="soft">{escape(results.settings.get("model", ""))}, prompt set '
        f'{escape(results.settings.get("prompt_set", ""))}. Means with 95 % bootstrap intervals '
        'over photos; KLD, SIM and NSS at 224 pixels with the mask as truth.</p>',
        table(head, summary_rows(results)),
    ]
    for kind in results.kinds():
        own = sorted((s for s in results.scores if s.kind == kind), key=lambda s: s.kld)
        body.append(f'<h2>{escape(kind_title(kind))}</h2>')
        body.append(table(head, group_rows(own, _name)))
        ends = {'Best': own[:_SHOWN], 'Worst': own[::-1][: min(_SHOWN, len(own) - _SHOWN)]}
        for title, shown in ends.items():
            if shown:
                cards = _cards(shown, predictor, photos)
                body.append(f'<h3>{title} by KLD</h3><div class="cards">{cards}</div>')
    body += ['<h2>Settings</h2>', table(('setting', 'value'), results.settings.items(),
                                        value_column=1)]  # fmt: skip
    if results.problems:
        problems = ''.join(f'<li>{escape(problem.text)}</li>' for problem in results.problems)
        body.append(f'<h2>Left out</h2><ul>{problems}</ul>')
    return page(results.name, body)


def _name(score: MaskScore) -> str:
    return f'{score.object}: {score.part}' if score.part else score.object


def _cards(
    scores: Sequence[MaskScore], predictor: Predictor, photos: Sequence[MaskedPhoto]
) -> str:
    by_key = {photo.key: photo for photo in photos}
    cards = []
    for score in scores:
        photo = by_key[score.key]
        place = list(photo.queries).index(score.kind)
        for _, mask, groundings in answers(predictor, [photo], []):
            cards.append(_card(score, photo, mask, groundings[place]))
    return ''.join(cards)


def _card(
    score: MaskScore, photo: MaskedPhoto, mask: NDArray[np.bool_], grounding: Grounding
) -> str:
    image = read_image_file(photo.image)
    marked = image.copy()
    if grounding.targets:
        best = grounding.targets[0]
        radius = max(4, max(image.shape) // 60)
        cv2.circle(marked, (round(best.x), round(best.y)), radius, _TARGET, radius // 3 + 1)
    thumbnails = (
        ('photo with the best target', photo_uri(marked)),
        ('mask', overlay_uri(image, mask.astype(np.float32))),
        ('heatmap', overlay_uri(image, grounding.heatmap)),
    )
    images = ''.join(
        f'<img alt="{title} of {escape(score.key, quote=True)}" title="{title}" src="{uri}">'
        for title, uri in thumbnails
    )
    hit = 'in the mask' if score.target_in_mask else 'off the mask'
    return (
        f'<figure class="card"><div class="row">{images}</div><figcaption>'
        f'<b>{escape(score.text)}</b> <span class="soft">{escape(score.image)}</span><br>'
        f'KLD {score.kld:.2f}, SIM {score.sim:.2f}, NSS {score.nss:.2f}, best target {hit} '
        f'(score {score.score:.2f})</figcaption></figure>'
    )
