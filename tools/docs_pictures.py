# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Draw the pictures of docs/concepts.md: rendered test scenes, their truth, the model's answers.

Each is what the embedded model answers today, failures included; a new model needs a new look at
the text beside them.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from affordance_ros.model.grounding import ModelConfig
from affordance_ros.predictor import Predictor
from affordance_ros.predictor import PredictorConfig
from affordance_ros.viz.contact_sheet import draw_sheet
from affordance_ros.viz.overlay import draw_overlay
from tabletop.affordances import affordances
from tabletop.catalogue import load_catalogue
from tabletop.frame import Frame
from tabletop.rendering import render_split

Picture = NDArray[np.uint8]
Heatmap = NDArray[np.float32]
ROOT = Path(__file__).resolve().parents[1]
SCENES = 96  # of the test split, seed 0: the numbers below are places among them
SIZE = (320, 240)


class Scenes:
    """Test scenes and what the embedded model answers to them."""

    def __init__(self, frames: Sequence[Frame]) -> None:
        self._frames = frames
        self._catalogue = load_catalogue()
        model = ModelConfig(model='household', device='cpu')
        self._predictors = {
            name: Predictor.load(model, PredictorConfig(prompt_set=name))
            for name in ('verb', 'ensemble')
        }

    def picture(self, scene: int) -> Picture:
        """Return a scene's picture, BGR."""
        return np.ascontiguousarray(self._frames[scene].rgb[..., ::-1])

    def truth(self, scene: int, action: str) -> Picture:
        """Return the true heatmap of an action over its scene."""
        maps = {a.action: a.heatmap for a in affordances(self._frames[scene], self._catalogue)}
        return draw_overlay(self.picture(scene), maps[action], targets=(), caption='truth')

    def heatmap(self, scene: int, command: str) -> Heatmap:
        """Return the model's heatmap."""
        predictor = self._predictors['verb']
        predictor.set_command(command)
        return predictor.predict(self.picture(scene), channels='bgr').heatmap

    def answer(
        self, scene: int, command: str, *, prompt_set: str = 'verb', caption: str = ''
    ) -> Picture:
        """Return the model's overlay with its targets."""
        predictor = self._predictors[prompt_set]
        predictor.set_command(command)
        picture = self.picture(scene)
        answer = predictor.predict(picture, channels='bgr')
        return draw_overlay(
            picture,
            answer.heatmap,
            targets=answer.targets,
            caption=caption or f'{answer.command}: {answer.heatmap.max():.2f}',
        )


def draw_answer(scenes: Scenes) -> Picture:
    """Draw one answer's parts: picture, truth, heatmap, overlay with targets."""
    colours = cv2.applyColorMap(
        (scenes.heatmap(34, 'hit') * 255).astype(np.uint8), cv2.COLORMAP_TURBO
    )
    row = [
        scenes.picture(34),
        np.asarray(colours, np.uint8),
        scenes.answer(34, 'hit'),
        scenes.truth(34, 'hit'),
    ]
    titles = ['camera image', 'heatmap, 0 to 1', 'overlay and targets', 'what is right here']
    return draw_sheet([row], column_titles=titles, banner='command: hit')


def draw_scale(scenes: Scenes) -> Picture:
    """Draw answers as they are, and as they look when stretched to their own maximum."""
    commands = ('drink with', 'write', 'type on', 'take photo')
    as_is = [scenes.answer(6, command) for command in commands]
    stretched = []
    for command in commands:
        heatmap = scenes.heatmap(6, command)
        heatmap = (heatmap - heatmap.min()) / (heatmap.max() - heatmap.min())
        stretched.append(
            draw_overlay(scenes.picture(6), heatmap, targets=(), caption='stretched, misleading')
        )
    banner = 'above: the absolute scale of the node. below: each map stretched to its own maximum'
    return draw_sheet([as_is, stretched], column_titles=commands, banner=banner)


def draw_prompts(scenes: Scenes) -> Picture:
    """Draw one scene under several wordings."""
    commands = ('hit', 'hammer', 'the handle of the hammer', 'hit with the hammer')
    rows = [
        [scenes.answer(38, command, prompt_set=name, caption=name) for command in commands]
        for name in ('verb', 'ensemble')
    ]
    return draw_sheet(
        rows, column_titles=commands, banner='one scene, four commands, two prompt sets'
    )


def draw_failures(scenes: Scenes) -> Picture:
    """Draw what goes wrong: truth on the left, answer on the right."""
    cases = [
        (30, 'write'),
        (46, 'write'),
        (42, 'hit'),
        (11, 'drink_with'),
        (41, 'cut_with'),
        (18, 'drink_with'),
    ]
    pairs = [
        [scenes.truth(scene, action), scenes.answer(scene, action)] for scene, action in cases
    ]
    rows = [pairs[k] + pairs[k + 1] for k in range(0, len(pairs), 2)]
    return draw_sheet(
        rows, column_titles=['truth', 'answer'] * 2, banner='failures of the embedded model'
    )


DRAWINGS = {
    'concept_answer': draw_answer,
    'concept_scale': draw_scale,
    'concept_prompts': draw_prompts,
    'concept_failures': draw_failures,
}


def main() -> None:
    """Render the scenes and write the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--out', type=Path, default=ROOT / 'docs' / 'images')
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        store = render_split(
            Path(folder), 'test', count=SCENES, width=SIZE[0], height=SIZE[1], seed=0, workers=1
        )
        scenes = Scenes(list(store.frames(SCENES)))
    for name, draw in DRAWINGS.items():
        cv2.imwrite(str(options.out / f'{name}.jpg'), draw(scenes), [cv2.IMWRITE_JPEG_QUALITY, 88])


if __name__ == '__main__':
    main()
