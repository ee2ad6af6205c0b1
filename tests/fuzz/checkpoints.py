# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Checkpoints and weights: safetensors and .pt."""

import io
import json
import zipfile
from pathlib import Path
from random import Random

import torch
from safetensors.torch import save

from affordance_ros.model.checkpoint import CheckpointError
from affordance_ros.model.checkpoint import load_checkpoint
from affordance_ros.model.checkpoint import save_checkpoint
from affordance_ros.model.errors import WeightsError
from affordance_ros.model.families import load_trunk
from affordance_ros.model.grounding import untrained_decoder
from affordance_ros.model.neck import NeckConfig
from affordance_ros.model.weights import read_state_dict
from tests.fuzz.mutate import mutate_bytes
from tests.fuzz.mutate import mutate_tree
from tests.fuzz.target import Feed
from tests.fuzz.target import Target


def _prepare(folder: Path) -> Feed:
    trunk = load_trunk('compact', 'random')
    path = folder / 'checkpoint.safetensors'
    decoder = untrained_decoder(trunk, NeckConfig(channels=1, scales=('global',)))
    save_checkpoint(path, decoder, trunk=trunk, prompt_set='verb@1', input_size=320, training={})
    whole = path.read_bytes()
    length = int.from_bytes(whole[:8], 'little')
    header, body = json.loads(whole[8 : 8 + length]), whole[8 + length :]
    small = {
        'a': torch.arange(12.0).reshape(3, 4),
        'b': torch.tensor(3),
        'c': torch.ones(2).half(),
    }
    plain = save(small)
    buffer = io.BytesIO()
    torch.save({'state_dict': small, 'epoch': 1}, buffer)
    archive = buffer.getvalue()
    with zipfile.ZipFile(buffer) as opened:
        records = {name: opened.read(name) for name in opened.namelist()}

    def checkpoint(rng: Random) -> bytes:
        if rng.random() < 0.3:
            return mutate_bytes(rng, whole)
        changed = json.loads(json.dumps(header))
        if rng.random() < 0.5:
            about = json.loads(changed['__metadata__']['about'])
            changed['__metadata__']['about'] = json.dumps(mutate_tree(rng, about))
        else:
            changed = mutate_tree(rng, changed)
        text = json.dumps(changed).encode()
        return len(text).to_bytes(8, 'little') + text + body

    def packed(rng: Random) -> bytes:
        changed = io.BytesIO()
        chosen = rng.choice(('data.pkl', rng.choice(list(records))))
        how = rng.choice((zipfile.ZIP_STORED,) * 9 + (zipfile.ZIP_DEFLATED,))
        with zipfile.ZipFile(changed, 'w', how) as output:
            for name, data in records.items():
                output.writestr(name, mutate_bytes(rng, data) if chosen in name else data)
        return changed.getvalue()

    def feed(rng: Random) -> None:
        kind = rng.randrange(8)
        if kind < 4:
            path.write_bytes(checkpoint(rng))
            _, summary = load_checkpoint(path, trunk)
            assert 32 <= summary.input_size <= 2048
        elif kind == 4:
            path.write_bytes(mutate_bytes(rng, plain))
            read_state_dict(path)
        else:
            file = path.with_suffix('.pt')
            file.write_bytes(mutate_bytes(rng, archive) if kind == 5 else packed(rng))
            state = read_state_dict(file)
            assert all(tensor.numel() < 1000 for tensor in state.values())

    return feed


TARGET = Target(
    'checkpoints and weights: safetensors, .pt', (CheckpointError, WeightsError), _prepare
)
