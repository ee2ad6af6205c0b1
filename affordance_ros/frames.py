"""The mailbox between the camera and the model: the newest frame only, bound to its command."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from typing import Generic
from typing import TypeVar

from affordance_ros.latency import FrameTimer

FrameT = TypeVar('FrameT')


@dataclass(frozen=True)
class BoundCommand:
    """A command and its number."""

    text: str
    id: int


@dataclass(frozen=True)
class Counters:
    """Frames since the start; received = processed + dropped + unusable + those that wait.

    Attributes:
        received: Frames that came.
        processed: Frames that were answered.
        dropped: Frames that gave way to a newer one.
        unusable_by_cause: Frames that could not be used, by a short key of what is wrong.
    """

    received: int = 0
    processed: int = 0
    dropped: int = 0
    unusable_by_cause: Mapping[str, int] = field(default_factory=dict)

    @property
    def unusable(self) -> int:
        """Frames that could not be used, whatever the cause."""
        return sum(self.unusable_by_cause.values())


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


class Mailbox(Generic[FrameT]):
    """Holds the newest frame and the command in force, for one worker.

    A frame that is not taken before the next one comes is dropped, so the worker always gets the
    newest there is; and it gets no frame twice. Frame and command are taken in one step, so an
    answer can never carry another command than the one that made it.

    Args:
        clock: Seconds, never going back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._frame: FrameT | None = None
        self._timer = FrameTimer(0.0, clock)  # of the frame that waits
        self._command: BoundCommand | None = None
        self._closed = False
        self._min_period_s = 0.0
        self._next_time = 0.0
        self._received = self._processed = self._dropped = 0
        self._unusable: Counter[str] = Counter()

    def offer(self, frame: FrameT, *, transport_s: float = 0.0) -> None:
        """Replace the waiting frame.

        Args:
            frame: The frame that came.
            transport_s: Its age, in seconds by its own stamp; see `FrameTimer`.
        """
        with self._changed:
            self._received += 1
            self._dropped += self._frame is not None
            self._frame = frame
            self._timer = FrameTimer(transport_s, self._clock)
            self._changed.notify()

    def refuse(self, cause: str) -> None:
        """Count a frame that came and can't be used, by its cause; the one that waits stays."""
        with self._changed:
            self._received += 1
            self._unusable[cause] += 1

    def set_command(self, text: str) -> BoundCommand:
        """Put a command in force for every frame taken from now on."""
        with self._changed:
            number = self._command.id + 1 if self._command else 1
            self._command = BoundCommand(text, number)
            self._changed.notify()
            return self._command

    def set_rate_limit(self, max_rate_hz: float) -> None:
        """Take at most so many frames a second; 0 sets no limit."""
        with self._changed:
            self._min_period_s = 1.0 / max_rate_hz if max_rate_hz > 0 else 0.0
            self._next_time = 0.0
            self._changed.notify()

    def take(self) -> Job[FrameT] | None:
        """Wait for a frame and a command, and take both.

        Returns:
            The job, or None once the mailbox is closed.
        """
        with self._changed:
            while not self._closed:
                wait_s = self._next_time - self._clock()
                if self._frame is None or self._command is None:
                    self._changed.wait()
                elif wait_s > 0:
                    self._changed.wait(wait_s)
                else:
                    self._timer.lap('wait')
                    job = Job(self._frame, self._command, self._timer)
                    self._frame = None
                    self._next_time = self._clock() + self._min_period_s
                    return job
            return None

    def finish(self, unusable_cause: str = '') -> None:
        """Count a taken frame as processed, or as unusable if there is a cause."""
        with self._changed:
            if unusable_cause:
                self._unusable[unusable_cause] += 1
            else:
                self._processed += 1

    def close(self) -> None:
        """Let `take` return None from now on."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def command(self) -> BoundCommand | None:
        """The command in force."""
        with self._changed:
            return self._command

    @property
    def counters(self) -> Counters:
        """A consistent copy of the counts."""
        with self._changed:
            return Counters(self._received, self._processed, self._dropped, dict(self._unusable))
