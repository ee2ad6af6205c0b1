# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""affordance-export: a model as ONNX and OpenVINO IR, for robots without torch."""

import argparse
import logging
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import open_clip
import torch
from numpy.typing import NDArray
from torch import nn

from affordance_ros.backends.base import BackendError
from affordance_ros.backends.cache import DiskCache
from affordance_ros.backends.exported import COMMANDS
from affordance_ros.backends.exported import CONTRACT
from affordance_ros.backends.exported import CONTRACTS
from affordance_ros.backends.exported import FACTS
from affordance_ros.backends.exported import FILES
from affordance_ros.backends.exported import FPN
from affordance_ros.backends.exported import IMAGE
from affordance_ros.backends.exported import ExportedFacts
from affordance_ros.backends.exported_text import TEXT
from affordance_ros.backends.exported_text import TRUNK
from affordance_ros.backends.exported_text import VOCABULARY
from affordance_ros.backends.household_export import write_household
from affordance_ros.backends.onnx_export import TorchNetwork
from affordance_ros.backends.onnx_export import logits_only
from affordance_ros.backends.onnx_export import quiet_export
from affordance_ros.backends.onnx_export import write_onnx
from affordance_ros.backends.torch_backend import TorchBackend
from affordance_ros.cli.options import CALL_ERRORS
from affordance_ros.cli.options import add_weight_options
from affordance_ros.cli.options import model_config
from affordance_ros.image.letterbox import Letterbox
from affordance_ros.model.clip_text import ClipText
from affordance_ros.model.clip_trunk import ClipTrunk
from affordance_ros.model.clipseg.trunk import ClipSeg
from affordance_ros.model.grounding import GroundingModel
from affordance_ros.model.grounding import load_model
from affordance_ros.predictor_config import DEFAULT_INPUT_SIZE
from affordance_ros.safe_io.files import sha256_of_file
from affordance_ros.text.commands import parse_command
from affordance_ros.text.prompts import AUTO as PROMPTS
from affordance_ros.text.prompts import load_prompt_set

_LOG = logging.getLogger('affordance-export')
# The largest difference from torch that rounding makes in float32, with room to spare.
MAX_LOGIT_ERROR = 1e-3
MAX_TEXT_ERROR = 1e-4
_PROMPTS = ('cut', 'hold the mug', 'drink_with', 'the handle of the red pan', '切る')


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog='affordance-export', description=__doc__)
    parser.add_argument('out', type=Path, help='a new folder, then the parameter `model`')
    add_weight_options(parser)
    parser.add_argument(
        '--image-size', type=int, nargs=2, default=(640, 480), metavar=('WIDTH', 'HEIGHT'),
        help='of images that answers are checked with, upright and across (default: 640 480)',
    )  # fmt: skip
    parser.add_argument(
        '--commands', nargs='+', default=(), metavar='COMMAND',
        help='write their text vectors too, for programs of your own (examples/deploy.py)',
    )  # fmt: skip
    return parser


def export_model(
    model: GroundingModel,
    out: Path,
    *,
    canvas: tuple[int, int],
    input_size: int,
    commands: Sequence[str] = (),
) -> None:
    """Write a model's folder, whole or not at all.

    Args:
        model: The loaded model, on the CPU.
        out: Where to; must not exist.
        canvas: (height, width) of the input that answers are checked with; the network takes any
            whose sides are multiples of 32.
        input_size: The long side, in pixels.
        commands: Whose text vectors are written too.

    Raises:
        CommandError: If a command can't be used.
        BackendError: If what was written answers otherwise than torch.
        ValueError: If the folder exists.
    """
    if out.exists():
        raise ValueError(f'{out} exists: give a new folder')
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f'.{out.name}.') as name:
        folder = Path(name) / 'model'
        folder.mkdir()
        network = TorchNetwork(model, DiskCache(None))
        description = {k: v for k, v in model.describe().items() if k != 'device'}
        clip = isinstance(model.text, ClipText)
        if clip:
            _write_clip(model, folder)
            # The graph holds these files' weights; the files themselves stay where they are.
            named = {k: Path(description.get(k, '')) for k in ('weights', 'checkpoint')}
            description |= {k: path.name for k, path in named.items() if path.is_file()}
        else:
            write_household(model, folder)
            # The files move with the folder, wherever they were made.
            description |= {'weights': TRUNK, 'checkpoint': FPN}
        for size in sorted({canvas, canvas[::-1]}):
            check_image(model, folder / IMAGE, size)
        if commands:
            vectors: dict[str, Any] = command_vectors(model, commands)
            np.savez(folder / COMMANDS, **vectors)
        ExportedFacts(
            name=model.name,
            family=model.trunk.family,
            weights=description['weights'],
            key=network.key,
            canvas=None,
            input_size=input_size,
            embed_dim=model.embed_dim,
            stages=network.stages,
            normalization=model.normalization,
            calibration=model.calibration,
            context_length=_context_length(model) if clip else 0,
            kind=model.decoder_kind,
            untrained=model.untrained,
            description=description,
            sha256={n: sha256_of_file(folder / n) for n in FILES[model.trunk.family]},
            contract=CONTRACT | CONTRACTS[model.trunk.family],
        ).write(folder / FACTS)
        folder.rename(out)


def command_vectors(
    model: GroundingModel, commands: Sequence[str]
) -> dict[str, NDArray[np.float32]]:
    """Return each command's text vectors (M, C), by the prompt set that suits the model.

    Raises:
        CommandError: If a command can't be used.
    """
    prompts = load_prompt_set(PROMPTS, family=model.family)
    found = {}
    for text in commands:
        command = parse_command(text)
        for prompt in prompts.expand(command):
            model.text.check_length(prompt)
        ways = prompts.alternatives(command)
        found[command] = np.stack([model.text.vector(way) for way in ways])
    return found


def _write_clip(model: GroundingModel, folder: Path) -> None:
    """Write both networks as ONNX and OpenVINO IR, and the vocabulary."""
    (folder / TEXT).write_bytes(write_text_onnx(model))
    check_text(model, folder / TEXT)
    (folder / IMAGE).write_bytes(logits_only(write_onnx(model)))
    vocabulary = Path(open_clip.__file__).with_name('bpe_simple_vocab_16e6.txt.gz')
    shutil.copyfile(vocabulary, folder / VOCABULARY)
    _write_ir(folder)


def _context_length(model: GroundingModel) -> int:
    if not isinstance(model.text, ClipText):
        raise ValueError(f"{model.name} has no text transformer of CLIP's")
    return model.text.context_length


class _Text(nn.Module):
    """CLIP's text side, from tokens (K, length) to text vectors (K, C)."""

    def __init__(self, trunk: ClipTrunk | ClipSeg) -> None:
        super().__init__()
        self.trunk = trunk

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.trunk.encode_tokens(tokens)


def write_text_onnx(model: GroundingModel) -> bytes:
    """Return the text network as ONNX: `tokens` (K, length) int64 to `vectors` (K, C)."""
    if not isinstance(model.trunk, ClipTrunk | ClipSeg):
        raise ValueError(f"{model.name} has no text transformer of CLIP's")
    example = torch.zeros(2, model.trunk.text.context_length, dtype=torch.int64)
    example[:, 0], example[:, 1] = 1, 2
    with quiet_export():
        program = torch.onnx.export(
            _Text(model.trunk).eval(),
            (example,),
            dynamo=True,
            dynamic_shapes=({0: torch.export.Dim('k')},),
            input_names=['tokens'],
            output_names=['vectors'],
            verbose=False,
        )
    if program is None:
        raise BackendError(f'torch has written nothing of the text side of {model.name}')
    return bytes(program.model_proto.SerializeToString())


def check_image(model: GroundingModel, path: Path, canvas: tuple[int, int]) -> None:
    """Hold the written image network against torch, for several images and commands.

    Raises:
        BackendError: If a logit differs by more than MAX_LOGIT_ERROR.
    """
    rng = np.random.default_rng(0)
    pixels = rng.standard_normal((2, 3, *canvas), np.float32)
    text = np.stack([model.text.vector([prompt]) for prompt in _PROMPTS])
    expected = TorchBackend(model).run(pixels, text)
    inputs = {'pixels': pixels, 'text': np.stack([text] * len(pixels))}
    _compare(path, inputs, expected, MAX_LOGIT_ERROR)


def check_text(model: GroundingModel, path: Path) -> None:
    """Hold the written text network against torch.

    Raises:
        BackendError: If a vector differs by more than MAX_TEXT_ERROR.
    """
    length = _context_length(model)
    tokens = open_clip.SimpleTokenizer(context_length=length)(list(_PROMPTS)).numpy()
    expected = np.stack([model.text.vector([prompt]) for prompt in _PROMPTS])
    _compare(path, {'tokens': tokens}, expected, MAX_TEXT_ERROR)


def _compare(path: Path, inputs: dict[str, np.ndarray], expected: np.ndarray, most: float) -> None:
    session = ort.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    error = float(np.abs(session.run(None, inputs)[0] - expected).max())
    if not error <= most:
        raise BackendError(
            f'{path.name} differs from torch by {error:.2g}, and rounding makes {most:g} at most: '
            f'nothing is exported'
        )
    _LOG.info('%s differs from torch by %.1g', path.name, error)


def _write_ir(folder: Path) -> None:
    try:
        import openvino as ov
    except ImportError:
        _LOG.warning('openvino is not installed: no OpenVINO IR is written')
        return
    for name in (IMAGE, TEXT):
        path = folder / name
        # In float32: float16 weights change the heatmap by 1.5e-2.
        ov.save_model(ov.Core().read_model(path), path.with_suffix('.xml'), compress_to_fp16=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return 0, or 2 if nothing was written."""
    logging.basicConfig(format='%(name)s: %(message)s', stream=sys.stderr, level=logging.INFO)
    options = build_parser().parse_args(arguments)
    try:
        model = load_model(model_config(options))
        size = options.input_size or model.trained_size or DEFAULT_INPUT_SIZE
        width, height = options.image_size
        canvas = Letterbox.fit((height, width), size=size).canvas
        export_model(
            model,
            options.out.expanduser(),
            canvas=canvas,
            input_size=size,
            commands=options.commands,
        )
    except (OSError, *CALL_ERRORS) as error:
        _LOG.error('%s', error)
        return 2
    _LOG.info('%s: checked at %dx%d', options.out, canvas[1], canvas[0])
    return 0


if __name__ == '__main__':
    sys.exit(main())
