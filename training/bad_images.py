# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Images that can't be used: a few are left out of a run and counted, many end it."""

import logging
from collections.abc import Iterable

from affordance_ros_training.refer import DatasetError

_log = logging.getLogger(__name__)
_FEW = 10
_SHARE = 0.01  # of all images


class BadImages:
    """Counts images by what is wrong with them.

    Args:
        images: How many images there are in all.
        limit: How many may be bad; None for 1 % of them, and 10 at least.
    """

    def __init__(self, images: int, limit: int | None = None) -> None:
        self._limit = max(_FEW, round(_SHARE * images)) if limit is None else limit
        self._known: set[str] = set()

    @property
    def count(self) -> int:
        """How many images were bad so far."""
        return len(self._known)

    def note(self, problems: Iterable[str], *, none_left: bool = False) -> None:
        """Name what was not seen before.

        Args:
            problems: What is wrong, a text for each image.
            none_left: Whether no image could be found in their place.

        Raises:
            DatasetError: If more images are bad than may be.
        """
        for problem in problems:
            if problem not in self._known:
                self._known.add(problem)
                _log.warning('left out: %s', problem)
        if len(self._known) > self._limit or (none_left and self._known):
            raise DatasetError(
                f'{len(self._known)} images can not be used, and at most {self._limit} may be '
                f'left out; the last: {sorted(self._known)[-1]}'
            )
