# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Referring segmentation on data in RefCOCO's format, by the training's own validation code.

Convention: at the image's own size, sigmoid > 0.5; every sentence counts once. Overall IoU is the
sum of all intersections over the sum of all unions, mean IoU the mean over sentences, P@X the
share of sentences with IoU strictly above X. Sentences that name nothing count in none of these.
"""

import argparse
import dataclasses
import json
import logging
import sys
from pathlib import Path
from typing import cast

from affordance_ros.cli.options import model_config
from affordance_ros.model.grounding import GroundingModel
from affordance_ros.model.grounding import load_model
from affordance_ros.model.heads import FPNDecoder
from affordance_ros.predictor_config import DEFAULT_INPUT_SIZE
from affordance_ros.safe_io.files import sha256_of_file
from affordance_ros.text.prompts import load_prompt_set
from affordance_ros_eval.results import current_versions
from affordance_ros_eval.tables import markdown_table
from affordance_ros_training.distributed import join_processes
from affordance_ros_training.features import FeatureSource
from affordance_ros_training.refer import DatasetError
from affordance_ros_training.refer import DatasetSpec
from affordance_ros_training.refer_cache import ReferImage
from affordance_ros_training.refer_cache import load_images
from affordance_ros_training.run_data import spread
from affordance_ros_training.sentences import SentenceEncoder
from affordance_ros_training.validate import PRECISION_LEVELS
from affordance_ros_training.validate import ReferringScores
from affordance_ros_training.validate import validate

_LOG = logging.getLogger('affordance-eval')
CONVENTION = (
    "at the image's own size, sigmoid > 0.5, every sentence counted; overall IoU: sum of "
    'intersections over sum of unions; P@X: IoU > X'
)


def run_refcoco(options: argparse.Namespace) -> int:
    """Score the splits and write results.json and table.md; return the exit status.

    A split that the data set does not have is said and skipped.
    """
    spec = DatasetSpec.parse(options.dataset)
    with join_processes(options.device) as processes:
        model = load_model(
            dataclasses.replace(model_config(options), device=str(processes.device))
        )
        if model.untrained:
            _LOG.warning('the model is UNTRAINED: its scores mean nothing')
        input_size = options.input_size or model.trained_size or DEFAULT_INPUT_SIZE
        scores: dict[str, ReferringScores] = {}
        problems: dict[str, str] = {}
        for split in options.split:
            try:
                images = load_images(
                    spec,
                    split,
                    root=options.root.expanduser(),
                    cache=options.converted.expanduser(),
                    images=options.images,
                )
            except DatasetError as error:
                problems[split] = str(error)
                _LOG.error('%s', error)
                continue
            images = spread(images, options.max_images)
            encoder = _encoder(model, images, options.prompt_set)
            scores[split] = validate(
                images,
                decoder=cast('FPNDecoder', model.decoder),
                source=FeatureSource(model.trunk, outputs=model.decoder.inputs, precision='fp32'),
                encoder=encoder,
                processes=processes,
                input_size=input_size,
                precision='fp32',
                workers=options.workers,
            )
        if processes.first and scores:
            facts = {**model.describe(), 'input_size': str(input_size), 'input_shape': 'square'}
            facts['prompt_set'] = load_prompt_set(options.prompt_set).label
            if options.checkpoint:
                facts['checkpoint_sha256'] = sha256_of_file(Path(options.checkpoint).expanduser())
            _write(options, scores, problems, facts)
    if not scores:
        return 2
    return 1 if problems else 0


def refcoco_table(scores: dict[str, ReferringScores]) -> str:
    """Return a Markdown table, in per cent as the literature has it."""
    head = ('split', 'oIoU', 'mIoU', *(f'P@{x}' for x in PRECISION_LEVELS), 'sentences')
    rows = [
        (
            split,
            f'{100 * s.overall_iou:.2f}',
            f'{100 * s.mean_iou:.2f}',
            *(f'{100 * p:.2f}' for p in s.precision),
            f'{s.sentences:,}',
        )
        for split, s in scores.items()
    ]
    return markdown_table(head, rows)


def threshold_table(scores: dict[str, ReferringScores]) -> str:
    """Return a Markdown table of overall IoU, and pixels' precision and recall, by threshold."""
    head, columns = ['threshold'], []
    for split, found in scores.items():
        if found.sweep is not None:
            head += [f'{split} oIoU', 'precision', 'recall']
            columns.append(found.sweep.rows())
    rows = [
        (
            f'{same[0]["threshold"]:.2f}',
            *(
                f'{100 * row[name]:.2f}'
                for row in same
                for name in ('overall_iou', 'precision', 'recall')
            ),
        )
        for same in zip(*columns, strict=True)
    ]
    return markdown_table(head, rows)


def _encoder(model: GroundingModel, images: list[ReferImage], prompt_set: str) -> SentenceEncoder:
    sentences = [s for image in images for referral in image.referrals for s in referral.sentences]
    return SentenceEncoder(model.trunk, load_prompt_set(prompt_set), sentences)


def _write(
    options: argparse.Namespace,
    scores: dict[str, ReferringScores],
    problems: dict[str, str],
    facts: dict[str, str],
) -> None:
    options.out.mkdir(parents=True, exist_ok=True)
    limited = f'{options.max_images:,} images at most' if options.max_images else 'all images'
    text = (
        f'{options.dataset}, {limited}; {CONVENTION}\n\n{refcoco_table(scores)}\n\n'
        f'{threshold_table(scores)}\n'
    )
    content = {
        'dataset': options.dataset,
        'convention': CONVENTION,
        'max_images': options.max_images,
        'model': facts,
        'versions': current_versions(),
        'splits': {
            split: {**s.flat(), 'curve': s.sweep.rows() if s.sweep else []}
            for split, s in scores.items()
        },
        'problems': problems,
    }
    (options.out / 'results.json').write_text(
        json.dumps(content, indent=1) + '\n', encoding='utf-8'
    )
    (options.out / 'table.md').write_text(text, encoding='utf-8')
    sys.stdout.write(text)
