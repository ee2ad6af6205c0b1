"""Other models of the field with random weights, built from their configurations: no download."""

from collections.abc import Callable

import torch

Pass = Callable[[], object]


def load_peers(say: Callable[[str], object]) -> dict[str, Pass]:
    """Return a forward pass of each peer, by name; says why where there is none.

    Args:
        say: Takes the message that a package is missing.
    """
    try:
        import transformers
    except ImportError:
        say('peers skipped: transformers is not installed (pip install ".[bench]")\n')
        return {}
    clipseg = transformers.CLIPSegForImageSegmentation(transformers.CLIPSegConfig(reduce_dim=64))
    owlvit = transformers.OwlViTForObjectDetection(transformers.OwlViTConfig())
    dino = transformers.Dinov2Model(
        transformers.Dinov2Config(hidden_size=768, num_hidden_layers=12, num_attention_heads=12)
    )
    tokens = torch.ones(1, 16, dtype=torch.int64)

    def of(model: torch.nn.Module, size: int, **inputs: torch.Tensor) -> Pass:
        model.eval()
        pixels = torch.zeros(1, 3, size, size)

        @torch.inference_mode()
        def run() -> object:
            return model(pixel_values=pixels, **inputs)

        return run

    return {
        'CLIPSeg rd64, 352': of(clipseg, 352, input_ids=tokens),
        'OWL-ViT B/32, 768': of(owlvit, 768, input_ids=tokens),
        'DINOv2 ViT-B/14, 448, backbone': of(dino, 448),
    }
