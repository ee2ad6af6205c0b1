# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The processes that torchrun starts: who is who, and sums over all of them."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist

from affordance_ros.model.grounding import resolve_device


@dataclass(frozen=True)
class Processes:
    """This process among all.

    Attributes:
        rank: From 0.
        world: How many there are.
        device: This one's.
    """

    rank: int
    world: int
    device: torch.device

    @property
    def first(self) -> bool:
        """True in the process that writes files and talks to people."""
        return self.rank == 0

    def sum(self, values: torch.Tensor) -> torch.Tensor:
        """Return the sum over all processes."""
        if self.world > 1:
            dist.all_reduce(values)
        return values

    def peak_memory_mb(self) -> float:
        """Return this process's peak memory so far: allocated on the GPU, resident on the CPU."""
        if self.device.type == 'cuda':
            return torch.cuda.max_memory_allocated(self.device) / 1e6
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6

    def wait(self) -> None:
        """Wait for all processes."""
        if self.world > 1:
            dist.barrier()


@contextmanager
def join_processes(device: str) -> Iterator[Processes]:
    """Join the processes that torchrun started, or be the only one.

    Args:
        device: auto, cpu, cuda or cuda:N; with several processes on CUDA each takes its own.
    """
    world = int(os.environ.get('WORLD_SIZE', '1'))
    if world == 1:
        yield Processes(0, 1, resolve_device(device))
        return
    kind = resolve_device(device).type
    own = f'cuda:{os.environ.get("LOCAL_RANK", "0")}' if kind == 'cuda' else 'cpu'
    resolved = resolve_device(own)
    if kind == 'cuda':
        torch.cuda.set_device(resolved)
    dist.init_process_group('nccl' if kind == 'cuda' else 'gloo')
    try:
        yield Processes(dist.get_rank(), world, resolved)
        dist.barrier()  # who leaves first would cut the others off, and Gloo then aborts
    finally:
        dist.destroy_process_group()
