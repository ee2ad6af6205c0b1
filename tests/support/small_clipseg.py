# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""A CLIPSeg of a few narrow layers with random weights, as transformers builds it."""

import torch
from transformers import CLIPSegConfig
from transformers import CLIPSegForImageSegmentation

NAME = 'clipseg-rd64'  # the model's name that goes with a folder of it


def small_clipseg(*, refined=False, conditional_layer=0, **more):
    """Return transformers' own network."""
    config = CLIPSegConfig(
        text_config={
            'hidden_size': 64, 'intermediate_size': 128, 'num_hidden_layers': 2,
            'num_attention_heads': 2, 'max_position_embeddings': 32,
        },
        vision_config={
            'hidden_size': 96, 'intermediate_size': 192, 'num_hidden_layers': 6,
            'num_attention_heads': 3, 'patch_size': 16,
        },
        projection_dim=48,
        reduce_dim=32,
        extract_layers=[1, 2, 4],
        decoder_intermediate_size=64,
        conditional_layer=conditional_layer,
        use_complex_transposed_convolution=refined,
        **more,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = CLIPSegForImageSegmentation(config).eval()
        # As it begins, logits are so large that a sigmoid would say yes or no alone.
        with torch.no_grad():
            for parameter in network.decoder.transposed_convolution.parameters():
                parameter.mul_(0.1)
    return network


def write_clipseg(folder):
    """Save one as its users have it, and return the folder's name."""
    small_clipseg().save_pretrained(folder)
    return str(folder)
