# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Which models there are; needs no torch."""

import importlib.util

from affordance_ros.model.embedded import EMBEDDED

COMPACT_NAME = 'compact'
COMPACT_VIT_NAME = 'compact-vit'
HOUSEHOLD_SMALL_NAME = 'household-small'  # random weights alone, for tests
# Importing open_clip to ask it takes seconds.
RESNETS = tuple(
    f'{size}{activation}'
    for size in ('RN50', 'RN101', 'RN50x4', 'RN50x16', 'RN50x64')
    for activation in ('', '-quickgelu')
)
VITS = (
    'ViT-S-32', 'ViT-S-32-alt', 'ViT-S-16', 'ViT-S-16-alt',
    'ViT-M-32', 'ViT-M-32-alt', 'ViT-M-16', 'ViT-M-16-alt',
    'ViT-B-32', 'ViT-B-32-quickgelu', 'ViT-B-32-256', 'ViT-B-32-plus-256',
    'ViT-B-16', 'ViT-B-16-quickgelu', 'ViT-B-16-plus', 'ViT-B-16-plus-240',
    'ViT-L-16', 'ViT-L-16-320', 'ViT-L-14', 'ViT-L-14-quickgelu', 'ViT-L-14-280',
    'ViT-L-14-336', 'ViT-L-14-336-quickgelu',
    'ViT-H-16', 'ViT-H-14', 'ViT-H-14-quickgelu', 'ViT-H-14-378', 'ViT-H-14-378-quickgelu',
    'ViT-g-14', 'ViT-bigG-14', 'ViT-bigG-14-quickgelu', 'ViT-e-14',
)  # fmt: skip
PES = ('PE-Core-T-16-384', 'PE-Core-S-16-384', 'PE-Core-B-16', 'PE-Core-L-14-336')
# By the names of their repositories at the hub, CIDAS/clipseg-...
CLIPSEGS = ('clipseg-rd64', 'clipseg-rd64-refined')
KNOWN = (*EMBEDDED, COMPACT_NAME, COMPACT_VIT_NAME, *RESNETS, *VITS, *PES, *CLIPSEGS)


def unknown_model(name: str) -> ValueError:
    """Return the error that names all models there are."""
    return ValueError(
        f'model {name!r} is unknown; known are {", ".join(KNOWN)}, and the folder of an exported '
        f'model'
    )


def check_installed(name: str) -> None:
    """Refuse a model whose network comes from a package that is not installed.

    Raises:
        ValueError: With the command that installs it.
    """
    if name in CLIPSEGS and importlib.util.find_spec('transformers') is None:
        raise ValueError(
            f'model {name!r} needs transformers, which is not installed: '
            f'pip install "transformers>=5.20"'
        )
