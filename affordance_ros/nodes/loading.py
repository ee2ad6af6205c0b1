"""Loading the model when the grounding node is configured."""

import cv2
import torch
from rclpy.impl.rcutils_logger import RcutilsLogger

from affordance_ros.nodes.parameters import NodeConfig
from affordance_ros.predictor import Predictor


def load_predictor(config: NodeConfig, *, log: RcutilsLogger) -> Predictor:
    """Load the model, warm it up and say what it is.

    Raises:
        ValueError: If a parameter names what is not there.
        WeightsError: If the trunk's weights can't be had.
        CheckpointError: If the checkpoint doesn't fit.
    """
    if config.num_threads:
        torch.set_num_threads(config.num_threads)
        cv2.setNumThreads(config.num_threads)
    predictor = Predictor.load(config.model, config.predictor)
    predictor.warm_up()
    model = predictor.model
    log.info(
        f'{model.name} with weights {model.trunk.weights} on {model.device}, '
        f'{model.decoder.description}, long side {predictor.input_size} px'
    )
    if model.untrained:
        log.warning('the model is UNTRAINED: its heatmaps mean nothing')
    return predictor
