# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Loading the model when the grounding node is configured."""

from rclpy.impl.rcutils_logger import RcutilsLogger

from affordance_ros.nodes.parameters import NodeConfig
from affordance_ros.nodes.sharing import SharedModels
from affordance_ros.predictor import Predictor


def load_predictor(config: NodeConfig, *, log: RcutilsLogger, models: SharedModels) -> Predictor:
    """Load the model where it is not shared yet, warm it up and say what it is.

    Raises:
        ValueError: If a parameter names what is not there.
        WeightsError: If the trunk's weights can't be had.
        CheckpointError: If the checkpoint doesn't fit.
        BackendError: If the backend that is asked for does not work.
    """
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
