# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Loading a model beside the executor, in a thread that can be abandoned."""

import logging
import os
import threading
import traceback
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager

from rclpy.impl.rcutils_logger import RcutilsLogger

from affordance_ros.backends.base import BackendError
from affordance_ros.model.download import DOWNLOAD_THREAD
from affordance_ros.model.errors import CheckpointError
from affordance_ros.model.errors import WeightsError
from affordance_ros.nodes.grounding.node_config import NodeConfig
from affordance_ros.nodes.grounding.sharing import SharedModels
from affordance_ros.predictor import Predictor


class LoadError(RuntimeError):
    """The model could not be loaded; the text is for the person who started the node."""


class Loading:
    """Loads a model in a daemon thread, from its making on.

    Nothing in the thread refers to the node, so that the node and its context can go while a
    download stalls or a compiler works; the process then ends without waiting for the thread.

    Args:
        config: What to load.
        log: Where the progress is told.
        models: Where the model may be loaded already.
        on_done: Called in the thread once the load has ended, unless it was abandoned.
    """

    def __init__(
        self,
        config: NodeConfig,
        *,
        log: RcutilsLogger,
        models: SharedModels,
        on_done: Callable[[], object],
    ) -> None:
        self.name = config.model.model
        self._config = config
        self._log = log
        self._models = models
        self._on_done: Callable[[], object] | None = on_done
        self._calling = threading.Lock()
        self._done = threading.Event()
        self._predictor: Predictor | None = None
        self._failure = ''
        log.info(f'loading {self.name} weights')
        threading.Thread(target=self._run, name='grounding-loading', daemon=True).start()

    @property
    def done(self) -> bool:
        """True once the load has ended, well or badly."""
        return self._done.is_set()

    def wait(self) -> None:
        """Wait until the load has ended."""
        self._done.wait()

    def result(self) -> Predictor:
        """Return what was loaded, once it is done.

        Raises:
            LoadError: If it failed.
        """
        if self._predictor is None:
            raise LoadError(self._failure)
        return self._predictor

    def abandon(self) -> None:
        """Call nobody any more; the thread goes on until what it does can end."""
        with self._calling:
            self._on_done = None

    def _run(self) -> None:
        try:
            with _log_through(self._log):
                self._predictor = _load(self._config, log=self._log, models=self._models)
        except (ValueError, WeightsError, CheckpointError, BackendError) as error:
            self._failure = str(error)
        except Exception as error:
            # Of torch, OpenVINO or the disk: whichever it is, the node must not wait for ever.
            self._failure = f'{type(error).__name__}: {error}'
            self._log.error(traceback.format_exc())
        self._done.set()
        with self._calling:
            if self._on_done is not None:
                self._on_done()


def _load(config: NodeConfig, *, log: RcutilsLogger, models: SharedModels) -> Predictor:
    """Load the model where it is not shared yet, warm it up and say what it is."""
    # The hub's Xet client catches SIGINT itself, and the node would not hear of it.
    os.environ.setdefault('HF_HUB_DISABLE_XET', '1')
    predictor = models.load(config.model, config.predictor, config.backend)
    with models.turns:
        predictor.warm_up()
    model = predictor.model
    log.info(
        f'{model.name} with weights {model.weights}, {model.decoder_description}, '
        f'long side {predictor.input_size} px'
    )
    log.info(f'backend {predictor.backend.description}: {predictor.choice.reason}')
    if model.untrained:
        log.warning('the model is UNTRAINED: its heatmaps mean nothing')
    return predictor


class _RosHandler(logging.Handler):
    """Passes on what one thread, and a download that it waits for, say by Python's logging."""

    def __init__(self, log: RcutilsLogger) -> None:
        super().__init__(logging.INFO)
        self._log = log
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread != self._thread and record.threadName != DOWNLOAD_THREAD:
            return
        if record.levelno >= logging.WARNING:
            self._log.warning(record.getMessage())
        else:
            self._log.info(record.getMessage())


@contextmanager
def _log_through(log: RcutilsLogger) -> Iterator[None]:
    """Show on the node's log what the package tells, such as the progress of a download."""
    logger = logging.getLogger('affordance_ros')
    handler = _RosHandler(log)
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
