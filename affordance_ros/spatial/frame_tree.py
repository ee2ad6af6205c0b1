# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The tree of coordinate frames over time, as /tf and /tf_static tell it.

Answers as tf2's buffer does: between two stamps it interpolates, before the first and after the
last it refuses, and a static transform holds at any time.
"""

import bisect
from dataclasses import dataclass
from dataclasses import field

from affordance_ros.spatial.rigid import Rigid


class FrameError(ValueError):
    """A frame's place at a moment is not known.

    Attributes:
        cause: Which of the ways in which that comes about, in a word or two.
    """

    def __init__(self, cause: str, message: str) -> None:
        super().__init__(message)
        self.cause = cause


@dataclass(frozen=True, eq=False)
class _Link:
    """Where a frame lies in its parent."""

    parent: str
    motion: Rigid


@dataclass(eq=False)
class _History:
    """The links of one moving frame, by their stamps in nanoseconds, which rise."""

    stamps: list[int] = field(default_factory=list)
    links: list[_Link] = field(default_factory=list)

    def add(self, stamp_ns: int, link: _Link, *, kept_ns: int) -> None:
        if self.stamps and stamp_ns < self.stamps[-1] - kept_ns:
            # Simulated time or a bag has begun anew: what is kept lies in its future.
            self.stamps.clear()
            self.links.clear()
        at = bisect.bisect_left(self.stamps, stamp_ns)
        if at < len(self.stamps) and self.stamps[at] == stamp_ns:
            return  # told twice, as several robot_state_publishers do
        self.stamps.insert(at, stamp_ns)
        self.links.insert(at, link)
        old = bisect.bisect_left(self.stamps, self.stamps[-1] - kept_ns)
        del self.stamps[:old], self.links[:old]

    def at(self, stamp_ns: int) -> _Link | None:
        """Return the link at a moment; None before the first and after the last."""
        after = bisect.bisect_left(self.stamps, stamp_ns)
        if after == len(self.stamps):
            return None
        if self.stamps[after] == stamp_ns:
            return self.links[after]
        if after == 0:
            return None
        first, second = self.links[after - 1], self.links[after]
        if first.parent != second.parent:
            return first  # it was handed over in between; nobody knows when
        begin, end = self.stamps[after - 1], self.stamps[after]
        share = (stamp_ns - begin) / (end - begin)
        return _Link(first.parent, first.motion.towards(second.motion, share))


class FrameTree:
    """Where frames lie in one another. One thread at a time may use it.

    Args:
        kept_s: How far back from a frame's newest transform its older ones are kept, in seconds.
    """

    def __init__(self, kept_s: float = 10.0) -> None:
        self._kept_ns = int(kept_s * 1e9)
        self._static: dict[str, _Link] = {}
        self._moving: dict[str, _History] = {}

    def clear(self) -> None:
        """Forget everything."""
        self._static.clear()
        self._moving.clear()

    def add(self, child: str, parent: str, motion: Rigid, *, stamp_ns: int | None) -> None:
        """Take over where a frame lies in its parent.

        As in tf2, a slash before a name, tf1's, is left away.

        Args:
            child: The frame.
            parent: Its parent.
            motion: From the child's places to the parent's.
            stamp_ns: When; None for always.
        """
        child = child.removeprefix('/')
        link = _Link(parent.removeprefix('/'), motion)
        if stamp_ns is None:
            self._static[child] = link
            return
        history = self._moving.setdefault(child, _History())
        history.add(stamp_ns, link, kept_ns=self._kept_ns)

    def look_up(self, target: str, source: str, stamp_ns: int) -> Rigid:
        """Return the motion from a source frame's places to a target frame's, at a moment.

        Args:
            target: The frame to go to.
            source: The frame to come from.
            stamp_ns: The moment; 0 is the latest at which every frame between them is known, as
                in tf2.

        Raises:
            FrameError: If a frame is not known, not at that moment, or the two are not connected.
        """
        target, source = target.removeprefix('/'), source.removeprefix('/')
        if stamp_ns == 0:
            stamp_ns = self._latest(target, source)
        up = self._way_up(source, stamp_ns)
        down = self._way_up(target, stamp_ns)
        for frame, motion in up.items():
            if frame in down:
                return down[frame].inverse() @ motion
        raise self._reason(list(up), list(down), stamp_ns)

    def _latest(self, target: str, source: str) -> int:
        """Return the newest moment at which all moving frames between two are known; 0: any."""
        ways = []
        for frame in (target, source):
            way = {frame: True}
            while (above := self._newest_parent(frame)) is not None and above not in way:
                way[above] = True
                frame = above
            ways.append(way)
        shared = next((frame for frame in ways[0] if frame in ways[1]), None)
        newest = []
        for way in ways:
            for frame in way:
                if frame == shared:
                    break
                if frame not in self._static and frame in self._moving:
                    newest.append(self._moving[frame].stamps[-1])
        return min(newest, default=0)

    def _newest_parent(self, frame: str) -> str | None:
        if frame in self._static:
            return self._static[frame].parent
        history = self._moving.get(frame)
        return history.links[-1].parent if history else None

    def _way_up(self, frame: str, stamp_ns: int) -> dict[str, Rigid]:
        """Return a frame and those above it, as far as known, with the motions up to them."""
        motion = Rigid.identity()
        way = {frame: motion}
        while (link := self._link(frame, stamp_ns)) is not None:
            if link.parent in way:
                raise FrameError('ring', f'the frames {", ".join(way)} lie in a ring')
            frame, motion = link.parent, link.motion @ motion
            way[frame] = motion
        return way

    def _link(self, frame: str, stamp_ns: int) -> _Link | None:
        if frame in self._static:
            return self._static[frame]
        history = self._moving.get(frame)
        return history.at(stamp_ns) if history else None

    def _reason(self, up: list[str], down: list[str], stamp_ns: int) -> FrameError:
        """Return why two ways, each from a frame to where it ends, don't meet."""
        known = set(self._static) | set(self._moving)
        known |= {link.parent for link in self._static.values()}
        known |= {link.parent for history in self._moving.values() for link in history.links}
        for frame in (up[0], down[0]):
            if frame not in known:
                names = ', '.join(sorted(known)) or 'none'
                return FrameError(
                    'unknown', f'nothing is known of frame {frame!r}; known frames: {names}'
                )
        for frame in (up[-1], down[-1]):
            if frame in self._moving:
                return _gap(frame, self._moving[frame].stamps, stamp_ns)
        return FrameError(
            'unconnected',
            f'frames {up[0]!r} and {down[0]!r} are not connected: one ends at '
            f'{up[-1]!r}, the other at {down[-1]!r}',
        )


def _gap(frame: str, stamps: list[int], stamp_ns: int) -> FrameError:
    """Return how far a moment lies outside of what is known of a moving frame."""
    if stamp_ns > stamps[-1]:
        late_s = (stamp_ns - stamps[-1]) / 1e9
        return FrameError(
            'too old', f'the newest transform of frame {frame!r} is {late_s:.3f} s older'
        )
    early_s = (stamps[0] - stamp_ns) / 1e9
    return FrameError(
        'too new', f'the oldest transform of frame {frame!r} is {early_s:.3f} s newer'
    )
