#!/usr/bin/env python3
# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Run an exported model with numpy, OpenCV and ONNX Runtime alone; port it to any language.

affordance-export out/model --commands "hold the mug" "cut"
python examples/deploy.py out/model kitchen.jpg "hold the mug" heat.png
"""

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort


def ground(folder, image, command):
    """Return the heatmap (H, W) float32 in [0, 1] of an image (H, W, 3) uint8 BGR."""
    facts = json.loads((Path(folder) / 'model.json').read_text())
    text = np.load(Path(folder) / 'commands.npz')[command]  # (M, C): M ways to say the command
    network = ort.InferenceSession(str(Path(folder) / 'image.onnx'))
    # The long side becomes input_size; the canvas is the smallest of multiples of 32.
    source = np.array(image.shape[:2])
    inner = np.maximum(1, np.rint(source * (facts['input_size'] / source.max()))).astype(int)
    canvas = -(-inner // 32) * 32
    (top, left), (bottom, right) = (canvas - inner) // 2, (canvas - inner) // 2 + inner
    kernel = cv2.INTER_AREA if inner[0] < source[0] else cv2.INTER_LINEAR
    small = cv2.resize(image, inner[::-1].tolist(), interpolation=kernel)[..., ::-1]  # RGB
    pixels = np.zeros((*canvas, 3), np.float32)  # the border is the mean
    mean, std = facts['normalization']['mean'], facts['normalization']['std']
    pixels[top:bottom, left:right] = (small / 255 - mean) / std
    inputs = {'pixels': pixels.transpose(2, 0, 1)[None], 'text': text[None]}
    logits = network.run(['logits'], inputs)[0][0].max(axis=0)  # (h, w) over the whole canvas
    full = cv2.resize(logits, canvas[::-1].tolist())[top:bottom, left:right]
    return 1 / (1 + np.exp(-cv2.resize(full, source[::-1].tolist())))


if __name__ == '__main__':
    heat = ground(sys.argv[1], cv2.imread(sys.argv[2]), sys.argv[3])
    cv2.imwrite(sys.argv[4], (255 * heat).astype(np.uint8))
    y, x = np.unravel_index(heat.argmax(), heat.shape)
    sys.stdout.write(f'best pixel: x {x}, y {y}, score {heat.max():.3f}\n')
