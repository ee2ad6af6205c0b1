# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Judges a model during training: scores on the validation split, and a sheet to look at."""

from collections.abc import Sequence
from pathlib import Path

from affordance_ros.model.heads import FPNDecoder
from affordance_ros_training.config import TrainConfig
from affordance_ros_training.distributed import Processes
from affordance_ros_training.features import FeatureSource
from affordance_ros_training.refer_cache import ReferImage
from affordance_ros_training.run_data import spread
from affordance_ros_training.sentences import SentenceEncoder
from affordance_ros_training.sheet import draw_sheet
from affordance_ros_training.sheet import write_sheet
from affordance_ros_training.validate import ReferringScores
from affordance_ros_training.validate import predicted_logits
from affordance_ros_training.validate import validate


class Judge:
    """Scores models on the same images with the same features.

    Args:
        images: The images of the validation split.
        config: The run's configuration.
        source: The trunk's features.
        encoder: The sentences' vectors.
    """

    def __init__(
        self,
        images: Sequence[ReferImage],
        config: TrainConfig,
        *,
        source: FeatureSource,
        encoder: SentenceEncoder,
    ) -> None:
        self._images = images
        self._config = config
        self._source = source
        self._encoder = encoder

    def score(self, decoder: FPNDecoder, processes: Processes) -> ReferringScores:
        """Score a model; the processes share the images."""
        return validate(
            self._images,
            decoder=decoder.eval(),
            source=self._source,
            encoder=self._encoder,
            processes=processes,
            input_size=self._config.data.input_size,
            precision=self._config.run.precision,
            workers=self._config.data.workers,
        )

    def write_sheet(self, path: Path, decoder: FPNDecoder) -> None:
        """Draw a few images with the first and the last thing that is named in each."""
        rows = self._config.validation.sheet_rows
        if not rows:
            return
        images = spread(self._images, rows)
        chosen = [(image.referrals[0], image.referrals[-1]) for image in images]
        sentences = [[referral.sentences[0] for referral in pair] for pair in chosen]
        outputs = predicted_logits(
            images,
            sentences,
            decoder=decoder.eval(),
            source=self._source,
            encoder=self._encoder,
            input_size=self._config.data.input_size,
            precision=self._config.run.precision,
        )
        found = dict(outputs)  # without images that can't be read
        if not found:
            return
        sheet = draw_sheet(
            [images[n] for n in found],
            [sentences[n] for n in found],
            masks=[[images[n].mask(r) for r in chosen[n]] for n in found],
            logits=list(found.values()),
            input_size=self._config.data.input_size,
        )
        write_sheet(path, sheet)
