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
            for their epsilons, a protocol's name, or 'not stated'.
        seen: KLD, SIM and NSS on Seen, NaN where the paper gives none; or None.
        unseen: The same on Unseen.
        cite: A key of `bibliography.BIBLIOGRAPHY`; '' where no source is known to us.
    """

    method: str
    supervision: str
    protocol: str
    seen: tuple[float, float, float] | None
    unseen: tuple[float, float, float] | None
    cite: str = ''

    def on(self, split: str) -> tuple[float, float, float] | None:
        """Return the numbers of a split."""
        return {'Seen': self.seen, 'Unseen': self.unseen}.get(split)


_NONE = float('nan')
COMMON = ('locate', 'ooal', 'cross-view-ag')

PUBLISHED = (
    PublishedRow(
        'Cross-View-AG', 'weak', 'common', (1.538, 0.334, 0.927), (1.787, 0.285, 0.829),
        cite='luo2022crossviewag',
    ),
    PublishedRow(
        'LOCATE', 'weak', 'common', (1.226, 0.401, 1.177), (1.405, 0.372, 1.157),
        cite='li2023locate',
    ),
    PublishedRow(
        'WSMA', 'weak', 'common', (1.176, 0.416, 1.247), (1.335, 0.382, 1.220),
        cite='xu2024wsma',
    ),
    PublishedRow(
        'SelectiveCL', 'weak + CLIP', 'common', (1.124, 0.433, 1.280), (1.243, 0.405, 1.368),
        cite='moon2025selective',
    ),
    PublishedRow(
        'LoopTrans', 'weak', 'common', (1.088, 0.445, 1.322), (1.247, 0.403, 1.315),
        cite='tang2025looptrans',
    ),
    PublishedRow(
        'WSAG-PLSP', 'weak + part masks', 'plsp', (0.890, 0.510, 1.547), (1.153, 0.437, 1.418),
        cite='xu2025plsp',
    ),
    PublishedRow(
        'OOAL', 'one-shot', 'common', (0.740, 0.577, 1.745), (1.070, 0.461, 1.503),
        cite='li2024ooal',
    ),
    PublishedRow(
        'AffordanceLLM', 'full', 'common', None, (1.463, 0.377, 1.070),
        cite='qian2024affordancellm',
    ),
    PublishedRow(
        'ClearCLIP ViT-B/16, training-free', 'zero-shot', 'common',
        (1.573, 0.294, 0.945), (1.723, 0.262, 0.976), cite='lan2024clearclip'),
    PublishedRow(
        'Flux x DINOv3, training-free', 'zero-shot', 'common', None, (1.493, 0.326, 1.090)
    ),
    PublishedRow(
        'UAD', 'no human labels', 'common', None, (1.878, 0.407, 1.092),
        cite='tang2025uad',
    ),
    # Their sources do not say by which arithmetic.
    PublishedRow(
        'Affogato Espresso-2D', 'generated labels', 'not stated',
        (1.426, 0.402, _NONE), (1.571, 0.376, _NONE), cite='lee2025affogato',
    ),
    PublishedRow(
        'LISA-7B', 'zero-shot LLM', 'not stated',
        (1.627, 0.296, _NONE), (1.830, 0.256, _NONE), cite='lai2024lisa',
    ),
    PublishedRow(
        'AffordanceVLM', 'other affordance data', 'not stated',
        (1.729, 0.266, _NONE), (1.932, 0.226, _NONE), cite='wu2025ragnet',
    ),
    PublishedRow(
        'Molmo + SAM2', 'zero-shot LLM', 'not stated',
        (1.804, 0.261, _NONE), (1.953, 0.226, _NONE), cite='deitke2025molmo',
    ),
    PublishedRow('AffordVLA', 'full', 'not stated', None, (0.905, 0.496, 1.906)),
)  # fmt: skip


def comparable(row: PublishedRow, protocol: str) -> bool:
    """Tell whether a published row and a protocol's results are of one arithmetic."""
    return protocol in COMMON if row.protocol == 'common' else row.protocol == protocol
