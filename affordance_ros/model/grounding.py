# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The whole model: frozen trunk, decoder, text; and how it is loaded and described."""

from pathlib import Path

import torch
from torch import nn

from affordance_ros.image.preprocess import Normalization
from affordance_ros.model.calibration import Calibration
from affordance_ros.model.checkpoint import CheckpointSummary
from affordance_ros.model.checkpoint import load_checkpoint
from affordance_ros.model.config import BACKGROUNDS
from affordance_ros.model.config import ModelConfig
from affordance_ros.model.embedded import EMBEDDED
from affordance_ros.model.errors import CheckpointError
from affordance_ros.model.families import load_trunk
from affordance_ros.model.heads import CANONICAL_PHRASES
from affordance_ros.model.heads import Decoder
from affordance_ros.model.heads import DenseDecoder
from affordance_ros.model.heads import FPNDecoder
from affordance_ros.model.heads import HeadConfig
from affordance_ros.model.neck import NeckConfig
from affordance_ros.model.trunk import Trunk
from affordance_ros.model.trunk import check_scales
from affordance_ros.model.weight_hash import hash_state_dict


class GroundingModel(nn.Module):
    """Trunk and decoder as one module, with the text encoder beside them.

    Args:
        trunk: The frozen CLIP.
        decoder: The trained FPN decoder, a training-free one, or the trunk's own.
        name: The model's name for people; the trunk's by default.
        summary: What the FPN's checkpoint says of itself, if there is one.
    """

    def __init__(
        self,
        trunk: Trunk,
        decoder: Decoder,
        *,
        name: str = '',
        summary: CheckpointSummary | None = None,
    ) -> None:
        super().__init__()
        self.name = name or trunk.name
        self.trunk = trunk
        self.decoder = decoder
        self.text = trunk.text
        self.summary = summary

    @property
    def device(self) -> torch.device:
        """Where the weights lie."""
        return self.trunk.device

    @property
    def untrained(self) -> bool:
        """True if the answers mean nothing, because the trunk's weights are random."""
        return self.trunk.untrained

    @property
    def weights(self) -> str:
        """Where the trunk's weights came from, for people to read."""
        return self.trunk.weights

    @property
    def decoder_description(self) -> str:
        """One phrase for logs and status."""
        return self.decoder.description

    @property
    def decoder_kind(self) -> str:
        """The decoder's key in the precision record."""
        return self.decoder.kind

    @property
    def embed_dim(self) -> int:
        """C, the length of text vectors."""
        return self.trunk.embed_dim

    @property
    def normalization(self) -> Normalization:
        """How its input is normalised."""
        return self.trunk.normalization

    @property
    def family(self) -> str:
        """The trunk's; see `Trunk`."""
        return self.trunk.family

    @property
    def calibration(self) -> Calibration:
        """What was fitted to its scores."""
        if isinstance(self.decoder, FPNDecoder):
            return self.decoder.calibration
        return Calibration()

    @property
    def canvas(self) -> tuple[int, int] | None:
        """The one input size that it takes, (height, width); None: it takes any."""
        return None

    @property
    def trained_size(self) -> int:
        """The long side that it was trained at, in pixels; 0 if nothing says so."""
        return self.summary.input_size if self.summary is not None else self.trunk.input_size

    def forward(self, image: torch.Tensor, text: torch.Tensor) -> torch.Tensor:
        """Compute activation maps.

        Args:
            image: (N, 3, H, W) float, normalised RGB; sides are multiples of 32.
            text: (K, C) or (N, K, C) unit vectors.

        Returns:
            Logits (N, K, h, w), at the decoder's resolution.
        """
        return self.decoder(self.trunk(image, self.decoder.inputs), text)

    def describe(self) -> dict[str, str]:
        """Return what a person wants to know of the model, in the order to print it."""
        trained = not isinstance(self.decoder, DenseDecoder)
        neck_and_head = self.decoder if trained else untrained_decoder(self.trunk)
        trainable = f'{sum(p.numel() for p in neck_and_head.parameters()):,}'
        facts = {
            'model': self.name,
            'trunk': self.trunk.name,
            'weights': self.trunk.weights,
            'weights_sha256': self.trunk.sha256,
            'decoder': self.decoder.description,
            'decoder_sha256': hash_state_dict(self.decoder.state_dict()),
            'parameters': f'{sum(p.numel() for p in self.parameters()):,}',
            'trainable_parameters': trainable
            if trained
            else f'{trainable} (if trained; none here)',
            'device': str(self.device),
            'trained': 'no: its weights are random' if self.untrained else 'yes',
        }
        if self.summary is not None:
            facts['checkpoint'] = self.summary.path
            facts['checkpoint_training'] = str(self.summary.training)
        return facts


def untrained_decoder(
    trunk: Trunk, config: NeckConfig | None = None, head: HeadConfig | None = None
) -> FPNDecoder:
    """Return a fresh neck and head that fit a trunk, for training.

    Args:
        trunk: The trunk.
        config: The neck's configuration; the one that suits the trunk's family by default.
        head: The head's configuration.

    Raises:
        ValueError: If the trunk does not give what the neck or the head reads.
    """
    neck = config or trunk.default_neck
    check_scales(trunk, neck.scales)
    return FPNDecoder(neck, channels=trunk.channels, cosine_dim=trunk.cosine_dim, head=head)


def training_free_decoder(
    trunk: Trunk, head: str = '', background: str = 'canonical'
) -> DenseDecoder:
    """Return a training-free decoder of a trunk.

    Args:
        trunk: The trunk.
        head: One of its `dense_heads`; '' for the first.
        background: One of BACKGROUNDS.

    Raises:
        ValueError: If the trunk has no such head, or the background is unknown.
    """
    known = trunk.dense_heads
    head = head or known[0]
    if head not in known:
        raise ValueError(
            f'{trunk.name} has no training-free head {head!r}; it has {", ".join(known) or "none"}'
        )
    if background not in BACKGROUNDS:
        raise ValueError(
            f'background {background!r} is unknown; known are {", ".join(BACKGROUNDS)}'
        )
    phrases = trunk.text.encode(CANONICAL_PHRASES) if background == 'canonical' else None
    return DenseDecoder(head, phrases, logit_scale=trunk.logit_scale)


def load_model(config: ModelConfig) -> GroundingModel:
    """Load trunk and decoder to the device.

    Args:
        config: What to load.

    Returns:
        The model in eval mode.

    Raises:
        ValueError: If the name of the model, its head or the device is unknown.
        WeightsError: If the trunk's weights can't be had.
        CheckpointError: If the checkpoint doesn't fit.
    """
    device = resolve_device(config.device)
    shipped = EMBEDDED.get(config.model)
    if shipped is None:
        trunk = load_trunk(config.model, config.weights)
    else:
        trunk = load_trunk(shipped.trunk, config.weights or str(shipped.weights))
        if not config.weights:
            trunk.weights = 'shipped'
    summary = None
    decoder: Decoder
    if checkpoint := config.checkpoint_in_use:
        if config.head:
            raise ValueError(
                f'head {config.head!r} is training-free, and {checkpoint} holds a trained one: '
                f'give one of them'
            )
        decoder, summary = load_checkpoint(Path(checkpoint).expanduser(), trunk)
    elif trunk.own_decoder is not None and not config.head:
        decoder = trunk.own_decoder
    elif trunk.dense_heads or config.head:
        decoder = training_free_decoder(trunk, config.head, config.background)
    elif trunk.untrained:
        decoder = untrained_decoder(trunk)
    else:
        raise CheckpointError(
            f'{config.model} has no training-free head: give a checkpoint, or no weights for the '
            f'shipped model'
        )
    model = GroundingModel(trunk, decoder, name=config.model, summary=summary)
    return model.to(device).eval()


def resolve_device(name: str) -> torch.device:
    """Turn `auto`, `cpu`, `cuda` or `cuda:N` into a device that is there.

    Raises:
        ValueError: If the device is unknown or absent.
    """
    if name == 'auto':
        return torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ValueError(f'device {name!r} is unknown: use auto, cpu, cuda or cuda:N') from error
    count = torch.cuda.device_count()
    if device.type == 'cuda' and (device.index or 0) >= count:
        raise ValueError(f'device {name!r} is not there: torch sees {count} CUDA devices; use cpu')
    return device


def use_threads(count: int) -> None:
    """Let torch use so many CPU threads, in the whole process."""
    torch.set_num_threads(count)
