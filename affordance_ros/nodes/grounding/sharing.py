# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""One model for several grounding nodes of one process, as for several cameras of a robot."""

import threading
import weakref
from collections import defaultdict
from typing import TypeAlias

from affordance_ros.backends.base import BackendConfig
from affordance_ros.backends.select import Choice
from affordance_ros.backends.select import Model
from affordance_ros.model.config import ModelConfig
from affordance_ros.predictor import Predictor
from affordance_ros.predictor import PredictorConfig
from affordance_ros.runtime.fair_lock import FairLock

_Key: TypeAlias = tuple[ModelConfig, BackendConfig, int, str]


class SharedModels:
    """Loads each model once, for all nodes that it is given to, and lets them use it by turns.

    A model lasts as long as one of the nodes that were configured with it.

    Attributes:
        turns: To be held while one of the models computes.
    """

    def __init__(self) -> None:
        self.turns = FairLock()
        self._looking = threading.Lock()
        # By model: one that an abandoned load still downloads must not hold up another.
        self._loading: defaultdict[_Key, threading.Lock] = defaultdict(threading.Lock)
        self._models: weakref.WeakValueDictionary[_Key, Model] = weakref.WeakValueDictionary()
        self._choices: weakref.WeakValueDictionary[_Key, Choice] = weakref.WeakValueDictionary()

    @property
    def loaded(self) -> int:
        """How many models are loaded."""
        return len(self._models)

    def load(
        self, model_config: ModelConfig, config: PredictorConfig, backend_config: BackendConfig
    ) -> Predictor:
        """Return a predictor of one's own on the model, which is loaded if need be.

        Raises:
            As `Predictor.load`.
        """
        # A backend may be chosen and compiled for the size of its input.
        key = (model_config, backend_config, config.input_size, config.input_shape)
        with self._looking:
            loading = self._loading[key]
        with loading:
            model, choice = self._models.get(key), self._choices.get(key)
            if model is not None and choice is not None:
                return Predictor(model, config, choice)
            predictor = Predictor.load(model_config, config, backend_config)
            self._models[key], self._choices[key] = predictor.model, predictor.choice
            return predictor
