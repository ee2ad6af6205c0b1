# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Which nouns and whose instances each split shows."""

from __future__ import annotations

from dataclasses import dataclass

from affordance_ros_tabletop.catalogue import Catalogue


@dataclass(frozen=True)
class Split:
    """A split of the tabletop world.

    Attributes:
        name: what the command line calls it.
        instances: whose instances it shows: train, val or test.
        unseen: whether types that FPN training never sees may appear.
        focus_unseen: whether every scene is built around one of them.
        index: part of every seed, so that no two splits draw the same scenes.
    """

    name: str
    instances: str
    unseen: bool
    focus_unseen: bool
    index: int

    def nouns(self, catalogue: Catalogue) -> list[str]:
        """Return the nouns that may appear."""
        return catalogue.nouns(unseen=self.unseen)

    def focus(self, catalogue: Catalogue) -> list[str]:
        """Return the nouns that every scene must show one of; empty for any."""
        return catalogue.nouns(seen=False) if self.focus_unseen else []


SPLITS: dict[str, Split] = {
    split.name: split
    for split in (
        Split('train', 'train', unseen=False, focus_unseen=False, index=0),
        Split('val', 'val', unseen=False, focus_unseen=False, index=1),
        Split('test', 'test', unseen=False, focus_unseen=False, index=2),
        Split('unseen', 'test', unseen=True, focus_unseen=True, index=3),
    )
}
