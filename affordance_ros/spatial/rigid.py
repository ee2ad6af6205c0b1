# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Rigid motions in 3D: a turn (unit quaternion x, y, z, w) and then a shift, in metres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from numpy.typing import NDArray

# Below this angle between two turns, in radians, slerp's sines lose their digits: a chord will do.
_SMALL_ANGLE = 1e-6


@dataclass(frozen=True, eq=False)
class Rigid:
    """Where a frame lies in another one: maps places in the first to places in the second.

    Attributes:
        turn: (4,) float64, a unit quaternion x, y, z, w.
        shift: (3,) float64 metres.
    """

    turn: NDArray[np.float64]
    shift: NDArray[np.float64]

    @classmethod
    def identity(cls) -> Rigid:
        """Return the motion that leaves everything where it is."""
        return cls(np.array([0.0, 0.0, 0.0, 1.0]), np.zeros(3))

    def apply(self, places: ArrayLike) -> NDArray[np.float64]:
        """Move places, (..., 3) metres."""
        return np.asarray(np.asarray(places, np.float64) @ matrix(self.turn).T + self.shift)

    def __matmul__(self, first: Rigid) -> Rigid:
        """Return the motion that makes `first` and then this one."""
        return Rigid(product(self.turn, first.turn), self.apply(first.shift))

    def inverse(self) -> Rigid:
        """Return the way back."""
        back = self.turn * [-1.0, -1.0, -1.0, 1.0]
        return Rigid(back, -(matrix(back) @ self.shift))

    def towards(self, other: Rigid, share: float) -> Rigid:
        """Return the motion a share of the way to another: shifts linear, turns by slerp.

        Args:
            other: Where share 1 leads; share 0 stays here.
            share: In [0, 1].
        """
        shift = self.shift + share * (other.shift - self.shift)
        cosine = float(self.turn @ other.turn)
        end = other.turn if cosine >= 0 else -other.turn  # q and -q are one turn: the short way
        angle = float(np.arccos(min(abs(cosine), 1.0)))
        weights = (
            (1.0 - share, share)
            if angle < _SMALL_ANGLE
            else (np.sin((1.0 - share) * angle), np.sin(share * angle))
        )
        turn = weights[0] * self.turn + weights[1] * end
        return Rigid(turn / np.linalg.norm(turn), shift)


def product(p: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Hamilton's product p q, (4,): the turn q and then the turn p."""
    (px, py, pz, pw), (qx, qy, qz, qw) = p, q
    return np.array(
        [
            pw * qx + px * qw + py * qz - pz * qy,
            pw * qy - px * qz + py * qw + pz * qx,
            pw * qz + px * qy - py * qx + pz * qw,
            pw * qw - px * qx - py * qy - pz * qz,
        ]
    )


def matrix(turn: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the (3, 3) rotation matrix of a unit quaternion."""
    x, y, z, w = turn
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
