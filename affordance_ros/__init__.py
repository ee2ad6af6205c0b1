# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Open-vocabulary affordance grounding: image and command in, heatmap and targets out.

The names in `__all__` are the public API. Each is imported when it is first used, so importing the
package itself is cheap and loads neither torch nor OpenCV.
"""

from importlib import import_module
from pkgutil import extend_path
from typing import TYPE_CHECKING
from typing import Any

if TYPE_CHECKING:
    from affordance_ros.backends.base import BackendConfig
    from affordance_ros.model.config import ModelConfig
    from affordance_ros.predictor import Grounding
    from affordance_ros.predictor import Predictor
    from affordance_ros.predictor import PredictorConfig
    from affordance_ros.targets.target import Target

# The generated interfaces (affordance_ros.msg) live in the colcon overlay, the hand-written half
# here: both are one package wherever both are on sys.path.
__path__ = extend_path(__path__, __name__)
__version__ = '0.1.0'
__all__ = ['BackendConfig', 'Grounding', 'ModelConfig', 'Predictor', 'PredictorConfig', 'Target']

_MODULES = {
    'BackendConfig': 'backends.base',
    'Grounding': 'predictor',
    'ModelConfig': 'model.config',
    'Predictor': 'predictor',
    'PredictorConfig': 'predictor',
    'Target': 'targets.target',
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used (PEP 562)."""
    if name not in _MODULES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    value = getattr(import_module(f'{__name__}.{_MODULES[name]}'), name)
    globals()[name] = value  # so that this runs once for each name
    return value


def __dir__() -> list[str]:
    """List the public names too, also those that were not used yet."""
    return sorted({*globals(), *__all__})
