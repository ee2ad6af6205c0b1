"""The mailbox between the camera and the model: the newest frame only, bound to its command."""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic
from typing import TypeVar

FrameT = TypeVar('FrameT')
RequestT = TypeVar('RequestT')


@dataclass(frozen=True)
class BoundCommand:
    """A command and its number."""

    text: str
    id: int


@dataclass(frozen=True)
class Counters:
    """Frames since the start; received = processed + dropped + unusable + those that wait."""

    received: int = 0
    processed: int = 0
    dropped: int = 0
    unusable: int = 0


@dataclass(frozen=True)
class Job(Generic[FrameT]):
    """A frame with the command that was in force when it was taken."""

    frame: FrameT
    command: BoundCommand


@dataclass(frozen=True)
class Asked(Generic[FrameT, RequestT]):
    """A request with the frame that it is to be answered on."""

    frame: FrameT
    request: RequestT


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
        self._command: BoundCommand | None = None
        self._commands_set = 0
        self._closed = False
        self._min_period_s = 0.0
        self._next_time = 0.0
        self._received = self._processed = self._dropped = self._unusable = 0
        self._waiting: list[RequestT] = []  # for a frame
        self._asked: deque[Asked[FrameT, RequestT]] = deque()
        self._asked_last = False

    def offer(self, frame: FrameT) -> None:
        """Replace the waiting frame, and give it to the requests that wait for one."""
        with self._changed:
            self._received += 1
            if self._closed:
                self._dropped += 1
                return
            self._dropped += self._frame is not None
            self._frame = frame
            self._asked.extend(Asked(frame, request) for request in self._waiting)
            self._waiting.clear()
            self._changed.notify()

    def refuse(self) -> None:
        """Count a frame that came and can't be used; the one that waits stays."""
        with self._changed:
            self._received += 1
            self._unusable += 1

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
                self._asked.append(Asked(frame, request))
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

    def take(self) -> Job[FrameT] | Asked[FrameT, RequestT] | None:
        """Wait for work: a frame with the command in force, or a request with its frame.

        Returns:
            The work, or None once the mailbox is closed.
        """
        with self._changed:
            while not self._closed:
                job, wait_s = self._next_job()
                if self._asked and (job is None or not self._asked_last):
                    self._asked_last = True
                    return self._asked.popleft()
                if job is not None:
                    self._frame = None
                    self._next_time = self._clock() + self._min_period_s
                    self._asked_last = False
                    return job
                self._changed.wait(wait_s)
            return None

    def _next_job(self) -> tuple[Job[FrameT] | None, float | None]:
        """Return the job that is due, else in how many seconds one will be, if known."""
        if self._frame is None or self._command is None:
            return None, None
        wait_s = self._next_time - self._clock()
        return (None, wait_s) if wait_s > 0 else (Job(self._frame, self._command), None)

    def finish(self, *, usable: bool = True) -> None:
        """Count a taken frame as processed, or as unusable if it could not be read."""
        with self._changed:
            self._processed += usable
            self._unusable += not usable

    def close(self) -> None:
        """Let `take` return None from now on; what waits is dropped."""
        with self._changed:
            self._closed = True
            self._dropped += self._frame is not None
            self._frame = None
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
            return Counters(self._received, self._processed, self._dropped, self._unusable)
