# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What stops a run early does not cost what it had done."""

import logging
import sys
from collections.abc import Iterable
from collections.abc import Iterator
from contextlib import contextmanager

from tqdm import tqdm

from affordance_ros_eval.errors import EvaluationError
from affordance_ros_eval.errors import Problem
from affordance_ros_eval.scoring import ImageScore

_LOG = logging.getLogger('affordance-eval')


class Stop:
    """Remembers why a run stopped early; `reason` is empty if it did not."""

    def __init__(self) -> None:
        self.reason = ''

    @contextmanager
    def catch(self) -> Iterator[None]:
        """Turn what stops the block into a reason; wrong settings go on up."""
        try:
            yield
        except EvaluationError:
            raise
        except KeyboardInterrupt:
            self.reason = 'interrupted'
        except Exception as error:
            _LOG.exception('stopped; what was done so far is kept')
            self.reason = f'{type(error).__name__}: {error}'


def collect(
    entries: Iterable[ImageScore | Problem], *, total: int, stop: Stop
) -> tuple[list[ImageScore], list[Problem]]:
    """Gather what `score_items` yields, with a progress bar on a terminal.

    Args:
        entries: Scores and problems.
        total: How many there will be.
        stop: Takes the reason if it ends early.

    Returns:
        The scores and the problems up to the end, or up to the stop.
    """
    scores: list[ImageScore] = []
    problems: list[Problem] = []
    bar = tqdm(entries, total=total, unit='image', desc='score', disable=not sys.stderr.isatty())
    with stop.catch():
        for entry in bar:
            if isinstance(entry, ImageScore):
                scores.append(entry)
            else:
                problems.append(entry)
    return scores, problems
