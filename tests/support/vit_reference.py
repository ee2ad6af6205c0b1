# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""A ViT CLIP's image side and its training-free heads, written a second time: numpy, float64.

Straight from the papers' formulas, token by token, with nothing of the package and nothing of
open_clip but the weights. Positions are resized by the caller.
"""

import math

import numpy as np


def softmax(scores):
    scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return scores / scores.sum(axis=-1, keepdims=True)


class ReferenceViT:
    """`state` is the state dict of a CLIP, as numpy float64; GELU is the exact one."""

    def __init__(self, state, *, heads, patch):
        self.state = {
            name.removeprefix('visual.'): value.astype(np.float64)
            for name, value in state.items()
            if name.startswith('visual.')
        }
        self.heads, self.patch = heads, patch
        self.depth = 1 + max(
            int(name.split('.')[2]) for name in self.state if name.startswith('transformer.')
        )

    def norm(self, x, name):
        mean, var = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
        return (x - mean) / np.sqrt(var + 1e-5) * self.state[f'{name}.weight'] + self.state[
            f'{name}.bias'
        ]

    def embed(self, image, positions):
        """From (3, H, W) and positions (h, w, C) to tokens (1 + hw, C), the class token first."""
        p = self.patch
        h, w = image.shape[1] // p, image.shape[2] // p
        kernel = self.state['conv1.weight']
        patches = [
            np.tensordot(kernel, image[:, i * p : (i + 1) * p, j * p : (j + 1) * p], axes=3)
            + positions[i, j]
            for i in range(h)
            for j in range(w)
        ]
        first = self.state['class_embedding'] + self.state['positional_embedding'][0]
        return self.norm(np.stack([first, *patches]), 'ln_pre')

    def qkv(self, x, block):
        """Query, key and value, (heads, L, d) each."""
        name = f'transformer.resblocks.{block}'
        y = self.norm(x, f'{name}.ln_1')
        packed = y @ self.state[f'{name}.attn.in_proj_weight'].T
        packed = packed + self.state[f'{name}.attn.in_proj_bias']
        return [
            np.stack(np.split(part, self.heads, axis=1)) for part in np.split(packed, 3, axis=1)
        ]

    def out(self, attended, block):
        """W: from (heads, L, d) to (L, C)."""
        name = f'transformer.resblocks.{block}.attn.out_proj'
        joined = np.concatenate(list(attended), axis=1)
        return joined @ self.state[f'{name}.weight'].T + self.state[f'{name}.bias']

    def mlp(self, x, block):
        name = f'transformer.resblocks.{block}'
        y = self.norm(x, f'{name}.ln_2')
        y = y @ self.state[f'{name}.mlp.c_fc.weight'].T + self.state[f'{name}.mlp.c_fc.bias']
        y = y * 0.5 * (1 + np.vectorize(math.erf)(y / math.sqrt(2)))
        return (
            y @ self.state[f'{name}.mlp.c_proj.weight'].T + self.state[f'{name}.mlp.c_proj.bias']
        )

    def block(self, x, block):
        q, k, v = self.qkv(x, block)
        s = q.shape[-1] ** -0.5
        x = x + self.out(softmax(s * (q @ k.transpose(0, 2, 1))) @ v, block)
        return x + self.mlp(x, block)

    def to_text_space(self, tokens):
        return self.norm(tokens, 'ln_post') @ self.state['proj']

    def outputs(self, tokens, grid):
        """The global vector and every head's map (C, h, w), from the first block's input."""
        for number in range(self.depth - 1):
            tokens = self.block(tokens, number)
        last, (h, w) = self.depth - 1, grid
        q, k, v = self.qkv(tokens, last)
        s = q.shape[-1] ** -0.5
        qq = softmax(s * (q @ q.transpose(0, 2, 1)))
        kk = softmax(s * (k @ k.transpose(0, 2, 1)))
        near = np.zeros((1 + h * w, 1 + h * w))
        for a in range(h * w):
            for b in range(h * w):
                squared = (a // w - b // w) ** 2 + (a % w - b % w) ** 2
                near[1 + a, 1 + b] = math.exp(-squared / (2 * 5.0**2))
        sclip = tokens + self.out((qq + kk) @ v, last)
        dense = {
            'maskclip': self.out(v, last),
            'clearclip': self.out(qq @ v, last),
            'naclip': self.out(softmax(s * (k @ k.transpose(0, 2, 1)) + near) @ v, last),
            'sclip': sclip + self.mlp(sclip, last),
        }
        maps = {
            name: self.to_text_space(values[1:]).T.reshape(-1, h, w)
            for name, values in dense.items()
        }
        return {'global': self.to_text_space(self.block(tokens, last)[0]), **maps}
