# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Open-vocabulary affordance grounding: image and command in, heatmap and targets out."""

from pkgutil import extend_path

# The generated interfaces (affordance_ros.msg) live in the colcon overlay, the hand-written half
# here: both are one package wherever both are on sys.path.
__path__ = extend_path(__path__, __name__)
__version__ = '0.1.0'
