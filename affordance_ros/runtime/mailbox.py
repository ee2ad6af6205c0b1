# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The mailbox between the camera and the model: the newest frame only, bound to its command."""

import threading
import time
from collections import Counter
from collections import deque
from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from typing import Generic
from typing import TypeVar

from affordance_ros.runtime.latency import FrameTimer
from affordance_ros.text.commands import BoundCommand

FrameT = TypeVar('FrameT')
RequestT = TypeVar('RequestT')


@dataclass(frozen=True)
class Counters:
    """Frames since the start; received = processed + dropped + unusable + idle + those that wait.

    Attributes:
        received: Frames that came.
        processed: Frames that were answered.
        dropped: Frames that gave way to a newer one although a command was in force.
        idle: Frames that gave way to a newer one while there was no command.
        unusable_by_cause: Frames that could not be used, by a short key of what is wrong.
    """

    received: int = 0
    processed: int = 0
    dropped: int = 0
    idle: int = 0
    unusable_by_cause: Mapping[str, int] = field(default_factory=dict)

    @property
    def unusable(self) -> int:
        """Frames that could not be used, whatever the cause."""
        return sum(self.unusable_by_cause.values())


@dataclass(frozen=True)
class RequestCounters:
    """Requests since the start.

    Attributes:
        answered: Requests that got what they asked for.
        failed_by_cause: Requests that did not, by a short key of what was wrong.
        newest_answered: Whether the newest one that was not refused at once was answered.
    """

    answered: int = 0
    failed_by_cause: Mapping[str, int] = field(default_factory=dict)
    newest_answered: bool = False

    @property
    def failed(self) -> int:
        """Requests that were not answered, whatever the cause."""
        return sum(self.failed_by_cause.values())


@dataclass(frozen=True)
class Job(Generic[FrameT]):
    """A frame with the command that was in force when it was taken.

    Attributes:
        frame: The frame.
        command: The command.
        timer: Its time so far: the transport and the wait.
    """

    frame: FrameT
    command: BoundCommand
    timer: FrameTimer


@dataclass(frozen=True)
class RequestJob(Generic[FrameT, RequestT]):
    """A request with the frame that it is to be answered on.

    Attributes:
        frame: The frame.
        request: The request.
        timer: The time so far: the frame's transport, none where the request brought the frame,
            and the wait.
    """

    frame: FrameT
    request: RequestT
    timer: FrameTimer


class Mailbox(Generic[FrameT, RequestT]):
    """Holds the newest frame, the command in force, and single requests, for one worker.

    A frame that is not taken before the next one comes is dropped, so the worker always gets the
    newest there is; and it gets no frame twice. Frame and command are taken in one step, so an
    answer can never carry another command than the one that made it.

    Requests stand beside this: they look at a frame and never take it away from the command in
    force, so they change no count. Where both wait, the worker gets them by turns.

    Args:
        clock: Seconds, never going back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._frame: FrameT | None = None
        self._timer = FrameTimer(0.0, clock)  # of the frame that waits
        self._command: BoundCommand | None = None
        self._commands_set = 0
        self._closed = False
        self._min_period_s = 0.0
        self._next_time = 0.0
        self._received = self._processed = self._dropped = self._idle = 0
        self._unusable: Counter[str] = Counter()
        self._waiting: list[RequestT] = []  # for a frame
        self._asked: deque[RequestJob[FrameT, RequestT]] = deque()
        self._asked_last = False

    def offer(self, frame: FrameT, *, transport_s: float = 0.0) -> None:
        """Replace the waiting frame, and give it to the requests that wait for one.

        Args:
            frame: The frame that came.
            transport_s: Its age, in seconds by its own stamp; see `FrameTimer`.
        """
        with self._changed:
            self._received += 1
            self._let_go()
            self._frame = frame
            if self._closed:
                self._let_go()
                return
            self._timer = FrameTimer(transport_s, self._clock)
            self._asked.extend(
                RequestJob(frame, request, FrameTimer(transport_s, self._clock))
                for request in self._waiting
            )
            self._waiting.clear()
            self._changed.notify()

    def _let_go(self) -> None:
        """Count the frame that waits, if one does, as not answered."""
        if self._frame is not None:
            self._dropped += self._command is not None
            self._idle += self._command is None
            self._frame = None

    def refuse(self, cause: str) -> None:
        """Count a frame that came and can't be used, by its cause; the one that waits stays."""
        with self._changed:
            self._received += 1
            self._unusable[cause] += 1

    def ask(self, request: RequestT, frame: FrameT | None = None) -> None:
        """Put a request to the worker.

        Args:
            request: What `take` hands out with the frame.
            frame: The frame to answer it on; None for the next one that comes.
        """
        with self._changed:
            if frame is None:
                self._waiting.append(request)
            else:
                self._asked.append(RequestJob(frame, request, FrameTimer(0.0, self._clock)))
            self._changed.notify()

    def withdraw(self, request: RequestT) -> None:
        """Forget a request that was not taken yet."""
        with self._changed:
            self._waiting = [one for one in self._waiting if one is not request]
            self._asked = deque(one for one in self._asked if one.request is not request)

    def set_command(self, text: str) -> BoundCommand:
        """Put a command in force for every frame taken from now on."""
        with self._changed:
            self._commands_set += 1
            self._command = BoundCommand(text, self._commands_set)
            self._changed.notify()
            return self._command

    def forget_command(self) -> None:
        """Leave no command in force; the numbers go on where they were."""
        with self._changed:
            self._command = None

    def set_rate_limit(self, max_rate_hz: float) -> None:
        """Take at most so many frames a second; 0 sets no limit."""
        with self._changed:
            self._min_period_s = 1.0 / max_rate_hz if max_rate_hz > 0 else 0.0
            self._next_time = 0.0
            self._changed.notify()

    def wait(self) -> bool:
        """Wait until there is work; return False once the mailbox is closed."""
        with self._changed:
            while not self._closed:
                job, wait_s = self._next_job()
                if job is not None or self._asked:
                    return True
                self._changed.wait(wait_s)
            return False

    def take(self) -> Job[FrameT] | RequestJob[FrameT, RequestT] | None:
        """Return work: a frame with the command in force, or a request with its frame.

        Returns:
            The work, or None if there is none or the mailbox is closed.
        """
        with self._changed:
            job, _ = self._next_job()
            if self._asked and (job is None or not self._asked_last):
                self._asked_last = True
                asked = self._asked.popleft()
                asked.timer.lap('wait')
                return asked
            if job is not None:
                job.timer.lap('wait')
                self._frame = None
                self._next_time = self._clock() + self._min_period_s
                self._asked_last = False
            return job

    def _next_job(self) -> tuple[Job[FrameT] | None, float | None]:
        """Return the job that is due, else in how many seconds one will be, if known."""
        if self._frame is None or self._command is None:
            return None, None
        wait_s = self._next_time - self._clock()
        if wait_s > 0:
            return None, wait_s
        return Job(self._frame, self._command, self._timer), None

    def finish(self, unusable_cause: str = '') -> None:
        """Count a taken frame as processed, or as unusable if there is a cause."""
        with self._changed:
            if unusable_cause:
                self._unusable[unusable_cause] += 1
            else:
                self._processed += 1

    def close(self) -> None:
        """End the wait for work; what waits is dropped."""
        with self._changed:
            self._closed = True
            self._let_go()
            self._waiting.clear()
            self._asked.clear()
            self._changed.notify_all()

    def open(self) -> None:
        """Take frames again after `close`."""
        with self._changed:
            self._closed = False

    @property
    def command(self) -> BoundCommand | None:
        """The command in force."""
        with self._changed:
            return self._command

    @property
    def counters(self) -> Counters:
        """A consistent copy of the counts."""
        with self._changed:
            return Counters(
                self._received,
                self._processed,
                self._dropped,
                self._idle,
                dict(self._unusable),
            )
