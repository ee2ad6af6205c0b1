# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The files of an exported `household`: one copy of the weights, for torch and for the graph."""

import shutil
from pathlib import Path

from affordance_ros.backends.base import BackendError
from affordance_ros.backends.exported import FPN
from affordance_ros.backends.exported import IMAGE
from affordance_ros.backends.exported_text import TOKENIZER
from affordance_ros.backends.exported_text import TRUNK
from affordance_ros.backends.external_weights import share_weights
from affordance_ros.backends.onnx_export import logits_only
from affordance_ros.backends.onnx_export import write_onnx
from affordance_ros.model.checkpoint import save_checkpoint
from affordance_ros.model.grounding import GroundingModel
from affordance_ros.model.heads import FPNDecoder
from affordance_ros.model.household.trunk import Household


def write_household(model: GroundingModel, folder: Path) -> None:
    """Write the trunk, the FPN, the tokenizer and a graph for all sizes that reads their weights.

    Args:
        model: The model, on the CPU.
        folder: An empty folder.

    Raises:
        BackendError: If the model's weights are in no file that could be shipped.
    """
    trunk, decoder = model.trunk, model.decoder
    if not isinstance(trunk, Household) or not isinstance(decoder, FPNDecoder):
        raise BackendError(f'{model.name} is not a household with an FPN')
    if trunk.folder is None:
        raise BackendError(
            f'{model.name} has random weights: give the folder of trunk.safetensors'
        )
    for name in (TRUNK, TOKENIZER):
        shutil.copyfile(trunk.folder / name, folder / name)
    if model.summary is not None:
        shutil.copyfile(model.summary.path, folder / FPN)
    else:
        save_checkpoint(
            folder / FPN, decoder, trunk=trunk, prompt_set='', input_size=320, training={}
        )
    graph = logits_only(write_onnx(model))
    graph = share_weights(graph, [folder / TRUNK, folder / FPN])
    (folder / IMAGE).write_bytes(graph)
