# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""How wide and deep the two towers are."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TowerShape:
    """The sizes of both towers; the defaults are those of NanoDet-g and all-MiniLM-L6-v2."""

    stem: int = 32  # channels at stride 4 before the first stage; each stage doubles them
    pyramid: int = 128  # channels of the detector's pyramid and head
    text_width: int = 384
    text_layers: int = 6
    text_heads: int = 12
    text_hidden: int = 1536  # width of the feed-forward layers
    vocabulary: int = 30522
    max_tokens: int = 64  # with those that begin and end a text

    @property
    def backbone(self) -> dict[str, int]:
        """Channels of the backbone's stages, by the trunk's names for them."""
        return {f'stride{4 << level}': (2 * self.stem) << level for level in range(4)}


FULL = TowerShape()
SMALL = TowerShape(stem=8, pyramid=32, text_width=48, text_layers=2, text_heads=4, text_hidden=96)
