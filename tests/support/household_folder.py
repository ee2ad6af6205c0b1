# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""A small `household` with random weights in files, as the importer writes the real one's."""

from pathlib import Path

import torch
from safetensors.torch import save_file

from affordance_ros.model.checkpoint import save_checkpoint
from affordance_ros.model.config import ModelConfig
from affordance_ros.model.families import load_trunk
from affordance_ros.model.grounding import untrained_decoder
from affordance_ros.model.heads import HeadConfig
from affordance_ros.model.household.quantized import QuantizedRows
from affordance_ros.model.household.tower_file import TOKENIZER_FILE
from affordance_ros.model.household.tower_file import TRUNK_FILE
from affordance_ros.model.household.tower_file import TowerWeights
from affordance_ros.model.household.trunk import DEFAULT_FOLDER
from affordance_ros.model.household.trunk import Household
from affordance_ros.model.neck import NeckConfig
from affordance_ros.model.trunk import Trunk

NAME = 'household-small'
NECK = NeckConfig(
    channels=32, scales=('stride32', 'stride16', 'stride8'), smooth=True, norm='group', refine=1
)


def write_towers(trunk: Household, folder: Path) -> Path:
    """Write a trunk's towers and its tokenizer; return the folder."""

    def arrays(module: torch.nn.Module):
        return {name: value.numpy() for name, value in module.state_dict().items()}

    text = arrays(trunk.sentences)
    matrices = [name for name, value in text.items() if value.ndim == 2 and 'pos' not in name]
    TowerWeights(
        shape=trunk.image.shape,
        image=arrays(trunk.image),
        text={**text, **{name: QuantizedRows.of(text[name]) for name in matrices}},
        class_vectors=trunk.class_vectors.detach().numpy(),
        sources={'nanodet.bin': 'abc'},
    ).write(folder / TRUNK_FILE)
    (folder / TOKENIZER_FILE).write_bytes((DEFAULT_FOLDER / TOKENIZER_FILE).read_bytes())
    return folder


def clip_files(folder: Path) -> ModelConfig:
    """Write random weights of the trunk `compact` and a random FPN; return what loads them."""
    weights, checkpoint = folder / 'compact.safetensors', folder / 'fpn.safetensors'
    save_file(load_trunk('compact', 'random').clip.state_dict(), weights)
    _save(load_trunk('compact', str(weights)), checkpoint, NeckConfig(channels=32), HeadConfig())
    return ModelConfig('compact', str(weights), str(checkpoint), 'cpu')


def write_model(folder: Path, *, neck: NeckConfig = NECK, prior_weight: float = 0.5) -> Path:
    """Write towers and a random FPN that fits them; return the FPN's checkpoint."""
    write_towers(load_trunk(NAME, 'random'), folder)
    path = folder / 'random.safetensors'
    _save(load_trunk(NAME, str(folder)), path, neck, HeadConfig(prior_weight=prior_weight))
    return path


def _save(trunk: Trunk, path: Path, neck: NeckConfig, head: HeadConfig) -> None:
    torch.manual_seed(0)
    decoder = untrained_decoder(trunk, neck, head)
    # A fresh head answers next to nothing everywhere: spread it, so that maps have peaks.
    torch.nn.init.constant_(decoder.scale, 20.0)
    torch.nn.init.constant_(decoder.bias, 2.0)
    save_checkpoint(path, decoder, trunk=trunk, prompt_set='verb@1', input_size=320, training={})
