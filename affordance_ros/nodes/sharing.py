"""One model for several grounding nodes of one process, as for several cameras of a robot."""

import threading
import weakref
from typing import TypeAlias

from affordance_ros.backends.backend import Backend
from affordance_ros.backends.backend import BackendConfig
from affordance_ros.backends.choice import Model
from affordance_ros.model.config import ModelConfig
from affordance_ros.predictor import Predictor
from affordance_ros.predictor import PredictorConfig
from affordance_ros.turns import Turns

_Key: TypeAlias = tuple[ModelConfig, BackendConfig, int, str]


class SharedModels:
    """Loads each model once, for all nodes that it is given to, and lets them use it by turns.

    A model lasts as long as one of the nodes that were configured with it.

    Attributes:
        turns: To be held while one of the models computes.
    """

    def __init__(self) -> None:
        self.turns = Turns()
        self._loading = threading.Lock()
        self._models: weakref.WeakValueDictionary[_Key, Model] = weakref.WeakValueDictionary()
        self._backends: weakref.WeakValueDictionary[_Key, Backend] = weakref.WeakValueDictionary()
        self._reasons: dict[_Key, str] = {}

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
        with self._loading:
            model, backend = self._models.get(key), self._backends.get(key)
            if model is not None and backend is not None:
                predictor = Predictor(model, config, backend)
                predictor.backend_reason = self._reasons[key]
                return predictor
            predictor = Predictor.load(model_config, config, backend_config)
            self._models[key], self._backends[key] = predictor.model, predictor.backend
            self._reasons[key] = predictor.backend_reason
            return predictor
