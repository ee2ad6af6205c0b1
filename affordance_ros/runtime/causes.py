# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What is wrong at the moment, by cause: named when it begins, forgotten once it is cured."""

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field

_NUMBERS = re.compile(r'\d+(\.\d+)?')


@dataclass
class _Cause:
    text: str  # the newest
    group: str
    at: float  # when it occurred last
    logged: set[str] = field(default_factory=set)  # what was news of it, without the numbers


class Causes:
    """Causes in the order in which they were news; any thread may call.

    A cause belongs to a group, such as all that keeps frames from being used. It is cured once the
    group has succeeded after it and it has not occurred for a while: a camera that sends good and
    bad frames in turn has it all the time.

    Args:
        cured_s: How long a cause must not have occurred.
        clock: Seconds, never going back.
    """

    def __init__(self, cured_s: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._cured_s = cured_s
        self._clock = clock
        self._lock = threading.Lock()
        self._causes: dict[str, _Cause] = {}
        self._succeeded: dict[str, float] = {}

    @property
    def newest(self) -> str:
        """The newest text of the cause that was news last; '' if nothing is wrong."""
        with self._lock:
            return next(reversed(self._causes.values())).text if self._causes else ''

    def occurred(self, cause: str, text: str, *, group: str) -> bool:
        """Note that a cause has occurred; return whether that is news.

        It is news if the cause was not known, or if its text differs by more than numbers from
        each that it had since it began.
        """
        words = _NUMBERS.sub('', text)
        with self._lock:
            known = self._causes.get(cause)
            if known is not None:
                known.text, known.at = text, self._clock()
                if words in known.logged:
                    return False
                del self._causes[cause]
            else:
                known = _Cause(text, group, self._clock())
            known.logged.add(words)
            told = any(words in other.logged for other in self._causes.values())
            self._causes[cause] = known  # the last one now
            return not told

    def succeeded(self, group: str) -> None:
        """Note that what a group's causes keep from working has worked."""
        with self._lock:
            self._succeeded[group] = self._clock()

    def drop(self, *causes: str) -> None:
        """Forget causes, whether they are there or not."""
        with self._lock:
            for cause in causes:
                self._causes.pop(cause, None)

    def drop_groups(self, *groups: str) -> None:
        """Forget all causes of some groups."""
        with self._lock:
            for cause in [c for c, known in self._causes.items() if known.group in groups]:
                del self._causes[cause]

    def drop_cured(self) -> None:
        """Forget what is cured; to be called about once a second."""
        with self._lock:
            now = self._clock()
            for cause, known in list(self._causes.items()):
                worked_at = self._succeeded.get(known.group, -1.0)
                if worked_at > known.at and now - known.at >= self._cured_s:
                    del self._causes[cause]
