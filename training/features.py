# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""From samples to the trunk's features: out of the cache, or by one pass over the others."""

from collections.abc import Sequence
from pathlib import Path

import torch

from affordance_ros.image.preprocess import Normalization
from affordance_ros.model.trunk import Trunk
from affordance_ros_training.config import TrainConfig
from affordance_ros_training.distributed import Processes
from affordance_ros_training.feature_cache import FeatureCache
from affordance_ros_training.feature_cache import to_fp16
from affordance_ros_training.samples import Sample


class FeatureSource:
    """Gives features for samples.

    Args:
        trunk: The frozen trunk, on its device.
        outputs: The trunk's outputs that are wanted.
        precision: What the trunk computes in: fp32, bf16 or fp16.
        cache: Where features are kept, if they are.
    """

    def __init__(
        self,
        trunk: Trunk,
        *,
        outputs: Sequence[str],
        precision: str,
        cache: FeatureCache | None = None,
    ) -> None:
        self._trunk = trunk.to(memory_format=torch.channels_last)
        self._outputs = tuple(outputs)
        self._precision = precision
        self._device = trunk.device
        self.cache = cache

    @classmethod
    def from_config(
        cls, config: TrainConfig, trunk: Trunk, *, outputs: Sequence[str], world: int = 1
    ) -> 'FeatureSource':
        """Build it with the cache that a configuration names, if it names one."""
        cache = None
        if config.feature_cache.folder:
            cache = FeatureCache(
                Path(config.feature_cache.folder).expanduser(),
                trunk,
                outputs=outputs,
                input_size=config.data.input_size,
                precision=config.run.precision,
                max_bytes=config.feature_cache.max_gb * 1e9,
                world=world,
            )
        return cls(trunk, outputs=outputs, precision=config.run.precision, cache=cache)

    @property
    def normalization(self) -> Normalization:
        """How the trunk's input is normalised."""
        return self._trunk.normalization

    @property
    def cached(self) -> frozenset[str]:
        """Keys of samples that need no pixels."""
        return self.cache.keys if self.cache is not None else frozenset()

    def refreshed(self, processes: Processes) -> frozenset[str]:
        """Return what is cached by now, by any of the processes."""
        if self.cache is None:
            return frozenset()
        processes.wait()
        self.cache.refresh()
        return self.cached

    @torch.no_grad()
    def __call__(self, samples: Sequence[Sample]) -> dict[str, torch.Tensor]:
        """Return features by name, stacked over the samples, float32 on the trunk's device."""
        fresh = [number for number, sample in enumerate(samples) if sample.pixels is not None]
        rows: list[dict[str, torch.Tensor]] = [{} for _ in samples]
        if fresh:
            computed = self._compute([samples[number].pixels for number in fresh])
            if len(fresh) == len(samples) and self.cache is None:
                return computed
            for place, number in enumerate(fresh):
                rows[number] = {name: computed[name][place] for name in self._outputs}
        if self.cache is not None:
            for number, sample in enumerate(samples):
                if sample.pixels is None:
                    rows[number] = self.cache.read(sample.key)
                else:
                    self.cache.write(sample.key, rows[number])
                    # Rounded as the cache does, so that later epochs see the same features.
                    rows[number] = {n: to_fp16(value) for n, value in rows[number].items()}
        return {
            name: torch.stack([row[name].to(self._device) for row in rows]).float()
            for name in self._outputs
        }

    def _compute(self, pixels: Sequence[torch.Tensor | None]) -> dict[str, torch.Tensor]:
        batch = torch.stack([p for p in pixels if p is not None]).to(self._device)
        batch = batch.contiguous(memory_format=torch.channels_last)
        with autocast(self._device, self._precision):
            features = self._trunk(batch, self._outputs)
        return {name: value.float() for name, value in features.items()}


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Return the context in which the forward pass runs.

    Args:
        device: Where it runs.
        precision: fp32 (which switches autocast off), bf16 or fp16.
    """
    dtype = torch.float16 if precision == 'fp16' else torch.bfloat16
    return torch.autocast(device.type, dtype, enabled=precision != 'fp32')
