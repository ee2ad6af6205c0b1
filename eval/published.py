# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What others published on AGD20K, as their papers give it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PublishedRow:
    """A method's line in the published tables.

    Attributes:
        method: Its name.
        supervision: What it was trained with.
        protocol: 'common' for the arithmetic that `locate`, `ooal` and `cross-view-ag` share but
            for their epsilons, else a protocol's name.
        seen: KLD, SIM and NSS on Seen, or None.
        unseen: The same on Unseen.
    """

    method: str
    supervision: str
    protocol: str
    seen: tuple[float, float, float] | None
    unseen: tuple[float, float, float] | None

    def on(self, split: str) -> tuple[float, float, float] | None:
        """Return the numbers of a split."""
        return {'Seen': self.seen, 'Unseen': self.unseen}.get(split)


COMMON = ('locate', 'ooal', 'cross-view-ag')

PUBLISHED = (
    PublishedRow(
        'Cross-View-AG', 'weak', 'common', (1.538, 0.334, 0.927), (1.787, 0.285, 0.829)
    ),
    PublishedRow('LOCATE', 'weak', 'common', (1.226, 0.401, 1.177), (1.405, 0.372, 1.157)),
    PublishedRow('WSMA', 'weak', 'common', (1.176, 0.416, 1.247), (1.335, 0.382, 1.220)),
    PublishedRow(
        'SelectiveCL', 'weak + CLIP', 'common', (1.124, 0.433, 1.280), (1.243, 0.405, 1.368)
    ),
    PublishedRow('LoopTrans', 'weak', 'common', (1.088, 0.445, 1.322), (1.247, 0.403, 1.315)),
    PublishedRow(
        'WSAG-PLSP', 'weak + part masks', 'plsp', (0.890, 0.510, 1.547), (1.153, 0.437, 1.418)
    ),
    PublishedRow('OOAL', 'one-shot', 'common', (0.740, 0.577, 1.745), (1.070, 0.461, 1.503)),
    PublishedRow('AffordanceLLM', 'full', 'common', None, (1.463, 0.377, 1.070)),
    PublishedRow(
        'ClearCLIP ViT-B/16, training-free', 'zero-shot', 'common',
        (1.573, 0.294, 0.945), (1.723, 0.262, 0.976),
    ),
    PublishedRow(
        'Flux x DINOv3, training-free', 'zero-shot', 'common', None, (1.493, 0.326, 1.090)
    ),
    PublishedRow('UAD', 'no human labels', 'common', None, (1.878, 0.407, 1.092)),
)  # fmt: skip


def comparable(row: PublishedRow, protocol: str) -> bool:
    """Tell whether a published row and a protocol's results are of one arithmetic."""
    return protocol in COMMON if row.protocol == 'common' else row.protocol == protocol
