# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Draw the images of the README and docs/concepts.md: the embedded model's answers to the samples.

Failures are shown as they are; a new model needs a new look at the text beside them.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from affordance_ros import Grounding
from affordance_ros import ModelConfig
from affordance_ros import Predictor
from affordance_ros import PredictorConfig
from affordance_ros.safe_io.yaml import read_yaml
from affordance_ros.sources import read_image
from affordance_ros.viz.contact_sheet import Panel
from affordance_ros.viz.contact_sheet import draw_panels
from affordance_ros.viz.contact_sheet import draw_sheet
from affordance_ros.viz.overlay import draw_overlay

Image = NDArray[np.uint8]
ROOT = Path(__file__).resolve().parents[1]
PHOTOS = ROOT / 'samples' / 'photos'
STRIP = ('000000516008.jpg', '000000099053.jpg', '000000030213.jpg', '000000121647.jpg')
KITCHEN, DESK = '000000030213.jpg', '000000516008.jpg'


class Answers:
    """The embedded model's answers to the sample photos."""

    def __init__(self) -> None:
        self._predictors: dict[str, Predictor] = {}

    def ground(self, photo: str, command: str, prompt_set: str = '') -> tuple[Image, Grounding]:
        """Return a photo, BGR, and the answer to a command."""
        if prompt_set not in self._predictors:
            config = PredictorConfig(prompt_set=prompt_set or 'auto', min_score=0.1)
            self._predictors[prompt_set] = Predictor.load(ModelConfig(), config)
        predictor = self._predictors[prompt_set]
        predictor.set_command(command)
        image = read_image(PHOTOS / photo)
        return image, predictor.predict(image, channels='bgr')

    def panel(self, photo: str, command: str, *, prompt_set: str = '', targets: int = 1) -> Panel:
        """Return the overlay of an answer with its best targets."""
        image, answer = self.ground(photo, command, prompt_set)
        shown = answer.targets[:targets]
        overlay = draw_overlay(image, answer.heatmap, targets=shown, caption='')
        note = f'{shown[0].score:.2f}' if shown else 'no target'
        return Panel(overlay, answer.command, note)


def draw_strip(answers: Answers) -> Image:
    """Draw the four panels that open the README."""
    commands = read_yaml(ROOT / 'samples' / 'commands.yaml')
    return draw_panels([answers.panel(photo, commands[photo]) for photo in STRIP], banner='')


def draw_demo(answers: Answers) -> Image:
    """Draw every sample photo with its command."""
    commands = read_yaml(ROOT / 'samples' / 'commands.yaml')
    panels = [answers.panel(photo, command) for photo, command in commands.items()]
    return draw_panels(panels, banner='')


def draw_answer(answers: Answers) -> Image:
    """Draw one answer's parts: photo, heatmap, overlay with targets."""
    image, answer = answers.ground(DESK, 'type on the keyboard')
    heat = (answer.heatmap * 255).astype(np.uint8)
    colours = np.asarray(cv2.applyColorMap(heat, cv2.COLORMAP_TURBO), np.uint8)
    overlay = draw_overlay(image, answer.heatmap, targets=answer.targets, caption='')
    titles = ['camera image', 'heatmap, 0 to 1', 'overlay and targets']
    return draw_sheet([[image, colours, overlay]], column_titles=titles, banner=answer.command)


def draw_scale(answers: Answers) -> Image:
    """Draw answers as they are, and as they look when stretched to their own maximum."""
    commands = ('open the refrigerator', 'sit on the chair', 'throw the ball', 'pet the dog')
    as_is, stretched = [], []
    for command in commands:
        image, answer = answers.ground(KITCHEN, command)
        heat = answer.heatmap
        as_is.append(draw_overlay(image, heat, targets=answer.targets[:1], caption=''))
        heat = (heat - heat.min()) / (heat.max() - heat.min())
        stretched.append(draw_overlay(image, heat, targets=(), caption='stretched, misleading'))
    banner = 'above: the absolute scale of the node. below: each map stretched to its own maximum'
    return draw_sheet([as_is, stretched], column_titles=commands, banner=banner)


def draw_prompts(answers: Answers) -> Image:
    """Draw one photo under several wordings and both prompt sets."""
    commands = ('type', 'type on the keyboard', 'keyboard', 'keys of the keyboard')
    panels = [
        answers.panel(DESK, command, prompt_set=name)
        for name in ('verb', 'parts')
        for command in commands
    ]
    return draw_panels(panels, banner='above: prompt set verb. below: parts')


DRAWINGS = {
    'strip': draw_strip,
    'demo': draw_demo,
    'concept_answer': draw_answer,
    'concept_scale': draw_scale,
    'concept_prompts': draw_prompts,
}


def main() -> None:
    """Draw all images, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('names', nargs='*', default=list(DRAWINGS), metavar='NAME')
    parser.add_argument('--out', type=Path, default=ROOT / 'docs' / 'images')
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    answers = Answers()
    for name in options.names:
        image = DRAWINGS[name](answers)
        cv2.imwrite(str(options.out / f'{name}.jpg'), image, [cv2.IMWRITE_JPEG_QUALITY, 86])


if __name__ == '__main__':
    main()
