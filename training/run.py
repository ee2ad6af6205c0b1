# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""A training run: the loop over epochs and steps, validation, saving, going on."""

import copy
import dataclasses
import logging
import time
from pathlib import Path

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader

from affordance_ros.model.families import load_trunk
from affordance_ros.model.grounding import untrained_decoder
from affordance_ros.model.heads import FPNDecoder
from affordance_ros.text.prompts import load_prompt_set
from affordance_ros_training.bad_images import BadImages
from affordance_ros_training.config import TrainConfig
from affordance_ros_training.distributed import Processes
from affordance_ros_training.features import FeatureSource
from affordance_ros_training.features import autocast
from affordance_ros_training.forecast import Forecast
from affordance_ros_training.journal import Journal
from affordance_ros_training.journal import ProgressBar
from affordance_ros_training.judge import Judge
from affordance_ros_training.loss import check_loss
from affordance_ros_training.loss import distribution_loss
from affordance_ros_training.loss import pad_sentences
from affordance_ros_training.loss import pixel_loss
from affordance_ros_training.run_data import load_training_images
from affordance_ros_training.run_data import load_validation_images
from affordance_ros_training.run_folder import RunFolder
from affordance_ros_training.run_folder import what_is_computed
from affordance_ros_training.run_state import Place
from affordance_ros_training.run_state import load_run
from affordance_ros_training.run_state import save_run
from affordance_ros_training.samples import EpochSamples
from affordance_ros_training.samples import Sample
from affordance_ros_training.samples import collate
from affordance_ros_training.schedule import descend
from affordance_ros_training.schedule import learning_rate
from affordance_ros_training.schedule import parameter_groups
from affordance_ros_training.schedule import update_average
from affordance_ros_training.sentences import SentenceEncoder
from affordance_ros_training.sentences import sentences_of
from affordance_ros_training.stop_request import StopRequest
from affordance_ros_training.validate import ReferringScores
from affordance_ros_training.yaml_config import ConfigError

_log = logging.getLogger(__name__)


class TrainingRun:
    """One run, from its configuration to its checkpoints.

    Args:
        config: What to do.
        processes: This process among all.
        resume: Go on from the state in the run's folder.

    Raises:
        ResumeError: If there is a state and `resume` is False, or none and it is True.
        ConfigError: If the precision can't be had on the device.
        DatasetError: If data is missing.
        WeightsError: If the trunk's weights can't be had.
    """

    def __init__(self, config: TrainConfig, processes: Processes, *, resume: bool = False) -> None:
        self.config = config
        self._processes = processes
        self.folder = RunFolder(Path(config.run.out), resume=resume)
        if config.run.precision == 'fp16' and processes.device.type == 'cpu':
            raise ConfigError('run.precision fp16 needs CUDA: on the CPU use bf16 or fp32')
        if config.run.threads:
            torch.set_num_threads(config.run.threads)
        self.train_images = load_training_images(config.data)
        self.val_images = load_validation_images(config)
        torch.manual_seed(config.run.seed)
        trunk = load_trunk(config.model, config.weights).to(processes.device)
        self.trunk = trunk
        self.decoder = untrained_decoder(trunk, config.neck, config.head).to(processes.device)
        self.average = copy.deepcopy(self.decoder).eval().requires_grad_(False)
        self._parallel: nn.Module = self.decoder
        if processes.world > 1:
            self._parallel = DistributedDataParallel(self.decoder)
        self._optimizer = torch.optim.AdamW(parameter_groups(self.decoder, config.optim))
        self._scaler = torch.amp.GradScaler(
            processes.device.type, enabled=config.run.precision == 'fp16'
        )
        prompts = load_prompt_set(config.run.prompt_set)
        self._prompt_label = prompts.label
        images = [*self.train_images, *self.val_images]
        self._encoder = SentenceEncoder(trunk, prompts, sentences_of(images))
        self._source = FeatureSource.from_config(
            config, trunk, outputs=self.decoder.inputs, world=processes.world
        )
        self._judge = Judge(self.val_images, config, source=self._source, encoder=self._encoder)
        self.place = self._load_state() if resume else Place()
        self._bad = BadImages(len(self.train_images))
        self._forecast: Forecast | None = None  # made when the number of steps is known
        self._request = StopRequest()
        self._stop = False  # agreed among all
        self._journal: Journal | None = None

    @property
    def model(self) -> FPNDecoder:
        """What is validated and saved: the moving average, if there is one."""
        return self.average if self.config.optim.ema_decay else self.decoder

    def train(self) -> ReferringScores | None:
        """Run to the end, or until SIGTERM or SIGINT.

        Returns:
            The last validation's scores, if there was one.

        Raises:
            DiskFullError: If a file can't be written; what was saved before is whole.
            TrainingError: If the loss is no longer a number.
        """
        scores = None
        epochs = self.config.optim.epochs
        if self._processes.first:
            self._journal = Journal(self.folder.path, self.config, step=self.place.step)
        with self._request:
            while True:
                due = self.place.epoch % self.config.validation.every_epochs == 0
                if self.place.epochs_validated < self.place.epoch and (
                    due or self.place.epoch == epochs
                ):
                    scores = self._validate()
                if self.place.epoch == epochs or self._stop:
                    break
                self._train_epoch()
        if self._journal is not None:
            self._journal.close()
        if self._source.cache is not None:
            self._source.cache.close()
        return scores

    def _train_epoch(self) -> None:
        samples = EpochSamples(
            self.train_images,
            self.config,
            epoch=self.place.epoch,
            normalization=self.trunk.normalization,
            cached=self._source.refreshed(self._processes),
        )
        batches = samples.batches(rank=self._processes.rank, world=self._processes.world)
        loader = DataLoader(
            samples,
            batch_sampler=batches[self.place.step_in_epoch :],
            num_workers=self.config.data.workers,
            collate_fn=collate,
        )
        bar = ProgressBar(
            len(batches),
            done=self.place.step_in_epoch,
            title=f'epoch {self.place.epoch + 1}/{self.config.optim.epochs}',
            shown=self._processes.first,
        )
        if self._forecast is None:
            self._forecast = Forecast(len(batches) * self.config.optim.epochs - self.place.step)
        saved = loaded = time.monotonic()
        self._parallel.train()
        for batch in loader:
            start = time.monotonic()
            for sample in batch:
                self._bad.note(sample.problems, none_left=not sample.sentences)
            loss = self._step(batch, steps_per_epoch=len(batches))
            self.place = dataclasses.replace(
                self.place,
                step=self.place.step + 1,
                step_in_epoch=self.place.step_in_epoch + 1,
                epoch_loss=self.place.epoch_loss + loss,
                elapsed_s=self.place.elapsed_s + time.monotonic() - start,
            )
            bar.advance(loss=loss, images=len(batch) * self._processes.world)
            forecast = self._forecast.step(time.monotonic() - loaded)
            loaded = time.monotonic()
            if forecast and self._processes.first:
                _log.info('%s, memory %.0f MB', forecast, self._processes.peak_memory_mb())
            if self._stop:
                break
            if time.monotonic() - saved > self.config.run.save_every_s:
                self._save_state()
                saved = time.monotonic()
        bar.close()
        if self.place.step_in_epoch == len(batches):
            self._log(
                'epoch',
                {
                    'epoch': self.place.epoch + 1,
                    'loss': self.place.epoch_loss / len(batches),
                    'images_per_s': bar.images_per_s,
                    'peak_memory_mb': self._processes.peak_memory_mb(),
                },
            )
            self.place = dataclasses.replace(
                self.place, epoch=self.place.epoch + 1, step_in_epoch=0, epoch_loss=0.0
            )
        self._save_state()

    def _step(self, batch: list[Sample], *, steps_per_epoch: int) -> float:
        """Take one step; return the loss over all processes."""
        optim, device = self.config.optim, self._processes.device
        rate = learning_rate(self.place.step, config=optim, steps_per_epoch=steps_per_epoch)
        for group in self._optimizer.param_groups:
            group['lr'] = rate * group['rate_factor']
        features = self._source(batch)
        text, coverage, unknown, real = pad_sentences(
            [self._encoder.encode(sample.sentences) for sample in batch],
            [sample.coverage.to(device) for sample in batch],
            [sample.unknown.to(device) for sample in batch],
        )
        with autocast(device, self.config.run.precision):
            logits = self._parallel(features, text)
        losses = pixel_loss(logits, coverage, unknown)
        if optim.distribution_weight:
            losses = losses + optim.distribution_weight * distribution_loss(
                logits, coverage, unknown
            )
        total = (losses * real).sum()
        # Every sentence counts alike, however they fall to the processes. The wish to stop
        # travels along, so that all stop at the same step.
        sums = torch.stack(
            [total.detach(), real.sum(), torch.tensor(self._request.asked, device=device)]
        )
        loss_sum, count, stop = self._processes.sum(sums.double()).tolist()
        self._stop = stop > 0
        loss = loss_sum / count
        check_loss(loss, step=self.place.step, optim=optim, kept=self.folder.last)
        # DistributedDataParallel takes the mean over processes; the sum is wanted.
        scaled = self._scaler.scale(total * (self._processes.world / count))
        norm = descend(scaled, self._optimizer, self._scaler, clip_norm=optim.clip_norm)
        if optim.ema_decay:
            update_average(self.average, self.decoder, decay=optim.ema_decay, step=self.place.step)
        self._log('step', {'loss': loss, 'rate': rate, 'gradient_norm': norm}, ahead=1)
        return float(loss)

    def _validate(self) -> ReferringScores:
        self._source.refreshed(self._processes)
        scores = self._judge.score(self.model, self._processes)
        self._log('validation', {'epoch': self.place.epoch, **scores.flat()})
        better = scores.rank > (self.place.best, -self.place.best_loss)
        self.place = dataclasses.replace(self.place, epochs_validated=self.place.epoch)
        if better:
            self.place = dataclasses.replace(
                self.place, best=scores.overall_iou, best_loss=scores.loss
            )
        if self._processes.first:
            _log.info('epoch %d: %s%s', self.place.epoch, scores.line(), ' (best)' * better)
            self._judge.write_sheet(self.folder.sheet(self.place.epoch), self.model)
            if better:
                self._save_model(self.folder.best, scores)
        self._save_state(scores)
        return scores

    def _save_model(self, path: Path, scores: ReferringScores | None) -> None:
        facts = {'epoch': self.place.epoch, 'step': self.place.step}
        self.folder.save_model(
            path,
            self.model,
            trunk=self.trunk,
            config=self.config,
            prompt_set=self._prompt_label,
            facts={**facts, 'validation': scores.flat() if scores else {}},
        )

    def _save_state(self, scores: ReferringScores | None = None) -> None:
        if not self._processes.first:
            return
        self.place = dataclasses.replace(self.place, scaler=self._scaler.state_dict())
        save_run(
            self.folder.state,
            self.place,
            modules={'decoder': self.decoder, 'average': self.average},
            optimizer=self._optimizer,
            about=what_is_computed(self.config, self.trunk),
        )
        self._save_model(self.folder.last, scores)

    def _load_state(self) -> Place:
        place = load_run(
            self.folder.state,
            modules={'decoder': self.decoder, 'average': self.average},
            optimizer=self._optimizer,
            about=what_is_computed(self.config, self.trunk),
        )
        if place.scaler:
            self._scaler.load_state_dict(dict(place.scaler))
        return place

    def _log(self, kind: str, values: dict[str, float], *, ahead: int = 0) -> None:
        """Write numbers at the current step, or at the one that is being taken (ahead=1)."""
        if self._journal is not None:
            self._journal.write(self.place.step + ahead, values, kind=kind)
