# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Heat averaged over the latest images, following the motion between them.

Things that are hot in one image and not in the next stay warm in the average.
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from affordance_ros.image.letterbox import Letterbox
from affordance_ros.targets.activation import Activation
from affordance_ros.targets.activation import sigmoid
from affordance_ros.targets.instances import image_on_map
from affordance_ros.targets.motion import Motion
from affordance_ros.targets.motion import shrink

# Optical flow is computed on grey images of that width and height.
_FLOW_SIZE = (160, 120)
# The average is kept that far from 0 and 1, whose logits are infinite.
_MARGIN = 1e-6


class HeatSmoother:
    """An exponential average over one command's heat, image by image.

    The average follows the motion by dense optical flow (Kroeger et al., Fast Optical Flow using
    Dense Inverse Search, ECCV 2016). What comes into view has its present heat at once. The
    average starts afresh with another command, scene or image size, and where a stamp does not
    increase.

    Args:
        seconds: The time constant in seconds, finite: heat that old weighs 1/e as much as the
            newest; 0 for no average.

    Raises:
        ValueError: If it is negative or not finite.
    """

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self.forget()

    @property
    def seconds(self) -> float:
        """The time constant; may be changed at any time."""
        return self._seconds

    @seconds.setter
    def seconds(self, seconds: float) -> None:
        if not 0.0 <= seconds < math.inf:
            raise ValueError(f'heat_smoothing_s {seconds} must be finite and not negative')
        self._seconds = seconds

    def forget(self) -> None:
        """Start afresh with the next image."""
        self._motion = Motion()
        self._heat: NDArray[np.float32] | None = None
        self._grey = np.zeros(_FLOW_SIZE[::-1], np.uint8)
        self._about: tuple[str, Letterbox] | None = None
        self._stamp_s = -math.inf

    def update(
        self, activation: Activation, *, command: str, image: NDArray[np.uint8], stamp_s: float
    ) -> Activation:
        """Average the next image's heat with that of the images before.

        Args:
            activation: The image's.
            command: What it answers.
            image: (H, W, 3) or (H, W) uint8.
            stamp_s: The image's, in seconds.

        Returns:
            An activation map of the average, or the given one where there is none.
        """
        if not self._seconds:
            if self._heat is not None:
                self.forget()
            return activation
        heat, box = sigmoid(activation.logits), activation.box
        grey = np.rint(shrink(image, _FLOW_SIZE)).astype(np.uint8)
        same = (
            self._motion.update(image).same_scene
            and self._about == (command, box)
            and stamp_s > self._stamp_s
        )
        if same and self._heat is not None and self._heat.shape == heat.shape:
            share = 1.0 - math.exp((self._stamp_s - stamp_s) / self._seconds)
            before = self._carried_along(self._heat, grey, box)
            heat = np.where(np.isnan(before), heat, share * heat + (1.0 - share) * before)
        self._heat, self._grey = heat.astype(np.float32), grey
        self._about, self._stamp_s = (command, box), stamp_s
        kept = np.clip(self._heat, _MARGIN, 1.0 - _MARGIN)
        return Activation(np.log(kept / (1.0 - kept)), box)

    def _carried_along(
        self, heat: NDArray[np.float32], grey: NDArray[np.uint8], box: Letterbox
    ) -> NDArray[np.float32]:
        """Return heat of the image before where it is now; NaN for what was not in view."""
        flow = self._flow.calc(grey, self._grey, None)  # from now to before
        (first_x, first_y), (scale_x, scale_y) = image_on_map(box, heat.shape)
        rows, columns = np.indices(heat.shape, np.float32)
        # From the map's cells to pixels of the small image, and back with the flow there.
        down, across = (small / full for small, full in zip(grey.shape, box.source, strict=True))
        x = ((columns - first_x) * scale_x + 0.5) * across - 0.5
        y = ((rows - first_y) * scale_y + 0.5) * down - 0.5
        moved = cv2.remap(
            flow, np.float32(x), np.float32(y), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        columns += moved[..., 0] / np.float32(across * scale_x)
        rows += moved[..., 1] / np.float32(down * scale_y)
        # Cubic, since each bilinear step of many would make hills flatter.
        before = cv2.remap(heat, columns, rows, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        x, y = (columns - first_x) * scale_x, (rows - first_y) * scale_y
        height, width = box.source
        in_view = (x >= -0.5) & (x <= width - 0.5) & (y >= -0.5) & (y <= height - 0.5)
        return np.asarray(np.where(in_view, np.clip(before, 0.0, 1.0), np.float32(np.nan)))
