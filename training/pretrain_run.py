# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""A pretraining run: the loop within a budget, retrieval, saving, going on."""

import dataclasses
import json
import logging
import math
import time
from pathlib import Path

import numpy as np
import open_clip
import torch
import torch.nn.functional as F
from safetensors.torch import save
from torch import nn
from tqdm import tqdm

from affordance_ros.model.compact import COMPACT_NAME
from affordance_ros.model.families import load_trunk
from affordance_ros.model.grounding import resolve_device
from affordance_ros.safe_io.atomic import write_atomically
from training.caption_batches import CaptionBatch
from training.caption_batches import CaptionBatches
from training.caption_batches import Prefetcher
from training.captions import PixelStore
from training.captions import read_captions
from training.contrast import build_compact
from training.contrast import contrastive_loss
from training.contrast import encode_captions
from training.contrast import encode_pictures
from training.contrast import match_captions
from training.contrast import parameter_groups
from training.journal import Journal
from training.pretrain_config import PretrainConfig
from training.pretrain_config import StageConfig
from training.run_state import Place
from training.run_state import ResumeError
from training.run_state import load_run
from training.run_state import save_run
from training.stop_request import StopRequest

_log = logging.getLogger(__name__)
_FREE_KEYS = ('captions', 'validation', 'out', 'store', 'device', 'threads', 'save_every_s')
_VALIDATION_BATCHES = 8
_RECALIBRATION_BATCHES = 40


class PretrainRun:
    """One run, from its configuration to the trunk's file.

    Args:
        config: What to do.
        resume: Go on from the state in the run's folder.

    Raises:
        ResumeError: If there is a state and `resume` is False, or none and it is True.
        CaptionListError: If data is missing or damaged.
        WeightsError: If the initial weights can't be used.
    """

    def __init__(self, config: PretrainConfig, *, resume: bool = False) -> None:
        self.config = config
        self._out = Path(config.out)
        self._state = self._out / 'state.safetensors'
        if self._state.is_file() and not resume:
            raise ResumeError(
                f'{self._out} holds a run already: go on with --resume, or name another folder '
                f'(--out)'
            )
        self._out.mkdir(parents=True, exist_ok=True)
        if config.threads:
            torch.set_num_threads(config.threads)
        self._held_out = (
            self._load_batches(config.validation, 'validation', augmented=False)
            if config.validation
            else None
        )
        self._batches = self._load_batches(config.captions, 'train', augmented=True)
        self._device = resolve_device(config.device)
        self.clip = self._build().to(self._device).train()
        self.clip = self.clip.to(memory_format=torch.channels_last)
        self._tokenizer = open_clip.SimpleTokenizer(context_length=self.clip.context_length)
        self._optimizer = torch.optim.AdamW(
            parameter_groups(self.clip, config.weight_decay),
            lr=config.learning_rate,
            betas=(0.9, 0.98),
            fused=True,
        )
        self.place = self._load_state() if resume else Place()

    @property
    def trunk_file(self) -> Path:
        """What the run is for: the weights, for `load_trunk('compact', path)`."""
        return self._out / 'trunk.safetensors'

    @property
    def progress(self) -> float:
        """The share of the budget that is used."""
        if self.config.steps:
            return min(1.0, self.place.step / self.config.steps)
        return min(1.0, self.place.elapsed_s / (60 * self.config.minutes))

    def train(self) -> None:
        """Run until the budget is used, then write the trunk; stop early at SIGTERM or Ctrl-C.

        Raises:
            DiskFullError: If a file can't be written; what was saved before is whole.
        """
        journal = Journal(self._out, step=self.place.step)
        with StopRequest() as request:
            self._spend_budget(journal, request)
        self._save_state()
        if self.progress == 1:
            self._recalibrate()
            scores = self.retrieval()
            journal.write(self.place.step, scores, kind='validation')
            self._write_trunk(scores)
        journal.close()

    def _spend_budget(self, journal: Journal, request: StopRequest) -> None:
        prefetcher = Prefetcher(self._batches)
        bar = tqdm(total=1000, bar_format='{l_bar}{bar}| {elapsed}<{remaining} {postfix}')
        begun = saved = validated = time.monotonic()
        waiting_s = 0.0
        images = 0
        try:
            while self.progress < 1 and not request.asked:
                start = time.monotonic()
                batch = prefetcher.get(self.place.step, self._stage())
                waiting_s += time.monotonic() - start
                loss = self._step(batch)
                images += len(batch.pixels)
                self.place = dataclasses.replace(
                    self.place,
                    step=self.place.step + 1,
                    elapsed_s=self.place.elapsed_s + time.monotonic() - start,
                )
                passed_s = time.monotonic() - begun
                values = {
                    f'{"scene" if batch.scenes else "crop"}_loss': loss,
                    'rate': self._optimizer.param_groups[0]['lr'],
                    'logit_scale': float(self.clip.logit_scale.detach().exp()),
                    'images_per_s': images / passed_s,
                    'waiting_share': waiting_s / passed_s,
                }
                journal.write(self.place.step, values, kind='step')
                bar.set_postfix_str(
                    f'step {self.place.step}, loss {loss:.3f}, {images / passed_s:.0f} images/s, '
                    f'waiting for data {waiting_s / passed_s:.0%}'
                )
                bar.update(round(1000 * self.progress) - bar.n)
                if time.monotonic() - validated > self.config.validate_every_s:
                    journal.write(self.place.step, self.retrieval(), kind='validation')
                    validated = time.monotonic()
                if time.monotonic() - saved > self.config.save_every_s:
                    self._save_state()
                    saved = time.monotonic()
        finally:
            prefetcher.close()
            bar.close()

    def _build(self) -> open_clip.CLIP:
        if self.config.initial:
            trunk = load_trunk(COMPACT_NAME, str(Path(self.config.initial).expanduser()))
            return trunk.clip.requires_grad_(True)
        clip = build_compact(self.config.seed)
        nn.init.constant_(clip.logit_scale, math.log(1 / 0.07))
        return clip

    @torch.no_grad()
    def retrieval(self) -> dict[str, float]:
        """Return how often a held-out picture finds its caption among those of its batch."""
        if self._held_out is None:
            return {}
        stage = self.config.stages[-1]
        self.clip.eval()
        hits: dict[str, list[float]] = {'crop': [], 'scene': []}
        for step in range(_VALIDATION_BATCHES * self.config.scene_every):
            scene_turn = step % self.config.scene_every == self.config.scene_every - 1
            if not scene_turn and step >= _VALIDATION_BATCHES:
                continue
            batch = self._held_out.draw(step, stage)
            distinct, positives = match_captions(batch.captions, batch.known)
            found = self._cosines(batch, distinct).argmax(dim=1, keepdim=True).cpu()
            hits['scene' if batch.scenes else 'crop'].append(
                float(positives.gather(1, found).float().mean())
            )
        self.clip.train()
        scores = {f'{kind}_recall': float(np.mean(v)) for kind, v in hits.items() if v}
        _log.info('step %d: %s', self.place.step, scores)
        return scores

    def _stage(self) -> StageConfig:
        return next(s for s in self.config.stages if self.progress < s.until or s.until == 1)

    def _step(self, batch: CaptionBatch) -> float:
        config = self.config
        warmup = min(1.0, (self.place.step + 1) / max(1, config.warmup_steps))
        rate = config.learning_rate * warmup * 0.5 * (1 + math.cos(math.pi * self.progress))
        for group in self._optimizer.param_groups:
            group['lr'] = rate
        distinct, positives = match_captions(batch.captions, batch.known)
        scale = self.clip.logit_scale.exp().clamp(max=config.max_logit_scale)
        logits = scale * self._cosines(batch, distinct)  # (N, M)
        loss = contrastive_loss(logits, positives.to(self._device))
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.clip.parameters(), config.clip_norm)
        self._optimizer.step()
        return float(loss.detach())

    def _cosines(self, batch: CaptionBatch, captions: list[str]) -> torch.Tensor:
        """Return (N, M) float32 cosines of pictures and captions."""
        pixels = batch.pixels.to(self._device, non_blocking=True)
        tokens = self._tokenizer(captions).to(self._device)
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self.config.bf16):
            pictures = encode_pictures(self.clip, pixels)
        texts = encode_captions(self.clip, tokens)  # so small that bfloat16 makes it slower
        return F.normalize(pictures.float(), dim=-1) @ F.normalize(texts.float(), dim=-1).T

    @torch.no_grad()
    def _recalibrate(self) -> None:
        """Measure BatchNorm's statistics on whole images at the size of use."""
        size = self.config.recalibration_size
        if not size:
            return
        norms = [m for m in self.clip.visual.modules() if isinstance(m, nn.BatchNorm2d)]
        momenta = [norm.momentum for norm in norms]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # the plain mean over all batches
        stage = dataclasses.replace(self.config.stages[-1], scene_size=size)
        every = self.config.scene_every
        for number in range(_RECALIBRATION_BATCHES):
            batch = self._batches.draw((number + 1) * every - 1, stage)
            with torch.autocast(self._device.type, torch.bfloat16, enabled=self.config.bf16):
                encode_pictures(self.clip, batch.pixels.to(self._device))
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum

    def _load_batches(self, path: str, name: str, *, augmented: bool) -> CaptionBatches:
        captions = read_captions(Path(path).expanduser())
        folder = Path(self.config.store).expanduser() if self.config.store else self._out
        store = PixelStore(captions.images, folder / f'{name}.pixels')
        return CaptionBatches(captions, store, self.config, augmented=augmented)

    def _about(self) -> dict[str, object]:
        content = json.loads(json.dumps(dataclasses.asdict(self.config)))
        return {key: value for key, value in content.items() if key not in _FREE_KEYS}

    def _save_state(self) -> None:
        save_run(
            self._state,
            self.place,
            modules={'clip': self.clip},
            optimizer=self._optimizer,
            about=self._about(),
        )

    def _load_state(self) -> Place:
        return load_run(
            self._state,
            modules={'clip': self.clip},
            optimizer=self._optimizer,
            about=self._about(),
        )

    def _write_trunk(self, scores: dict[str, float]) -> None:
        """Write the weights in fp16, which halves the file and moves no answer."""
        tensors = {
            name: (value.half() if value.is_floating_point() else value).cpu().contiguous()
            for name, value in self.clip.state_dict().items()
        }
        recipe = {
            'model': COMPACT_NAME,
            'steps': self.place.step,
            'minutes': round(self.place.elapsed_s / 60, 2),
            'validation': scores,
            'config': dataclasses.asdict(self.config),
        }
        metadata = {'format': 'affordance_ros.trunk', 'recipe': json.dumps(recipe, sort_keys=True)}
        write_atomically(self.trunk_file, save(tensors, metadata))
        _log.info('wrote %s', self.trunk_file)
