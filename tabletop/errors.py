# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What can go wrong for a person who uses the tabletop, one exception class per kind."""


class TabletopError(RuntimeError):
    """Base class: every message says what was expected, what came and what to do next."""


class AssetsMissingError(TabletopError):
    """The scanned objects are not installed, or not all of them."""


class RenderUnavailableError(TabletopError):
    """No OpenGL that can draw without a screen was found, or MuJoCo is missing."""


class CatalogueError(TabletopError):
    """`objects.yaml` says something that can't be."""


class StoreError(TabletopError):
    """A scene store on disk is absent, of another version or made with other settings."""
