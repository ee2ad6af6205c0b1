# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Predict photos in a fresh process: offline_predictor OUT PHOTO... -- COMMAND...

Earlier tests leave their marks on a process's arithmetic (which kernels were chosen, how memory is
aligned), which move the last digit of a float; the node starts afresh, and so must what it is held
against.
"""

import sys
from pathlib import Path

import cv2
import numpy as np
import torch

from affordance_ros.model.grounding import ModelConfig
from affordance_ros.predictor import Predictor
from affordance_ros.targets.mask import draw_mask


def main(out, photos, commands):
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    predictor = Predictor.load(ModelConfig(model='compact', weights='random', device='cpu'))
    predictor.warm_up()
    results = {}
    for command in commands:
        predictor.set_command(command)
        for photo in photos:
            grounding = predictor.predict(cv2.imread(photo), channels='bgr')
            key = f'{command}/{Path(photo).name}'
            results[f'{key}/heatmap'] = grounding.heatmap
            results[f'{key}/targets'] = np.array([(t.x, t.y, t.score) for t in grounding.targets])
            results[f'{key}/mask'] = draw_mask(grounding.targets, grounding.size)
    np.savez(out, **results)


if __name__ == '__main__':
    split = sys.argv.index('--')
    main(sys.argv[1], sys.argv[2:split], sys.argv[split + 1 :])
