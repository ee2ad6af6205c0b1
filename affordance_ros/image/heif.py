# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""HEIC and AVIF photos, as phones write them, where Pillow and pillow-heif are installed."""

import io

import numpy as np
from numpy.typing import NDArray

from affordance_ros.image.decode import MAX_PIXELS
from affordance_ros.image.decode import EncodedImageError

_BRANDS = {
    **dict.fromkeys((b'heic', b'heix', b'hevc', b'heim', b'heis', b'mif1', b'msf1'), 'HEIC'),
    **dict.fromkeys((b'avif', b'avis'), 'AVIF'),
}


def heif_kind(data: bytes) -> str:
    """Return 'HEIC' or 'AVIF' by a file's first box; '' for anything else."""
    if data[4:8] != b'ftyp':
        return ''
    return _BRANDS.get(data[8:12], '')


def decode_heif(data: bytes) -> NDArray[np.uint8]:
    """Decode a HEIC or AVIF file, turned upright.

    Returns:
        (H, W, 3) uint8 BGR.

    Raises:
        EncodedImageError: If what reads it is not installed, or it is damaged or too large.
    """
    kind = heif_kind(data)
    problem = (
        f'{len(data)} bytes of {kind}, which nothing installed reads: pip install pillow-heif, or '
        f'convert the photo to JPEG'
    )
    try:
        from PIL import Image
        from PIL import ImageOps
    except ImportError as error:
        raise EncodedImageError(problem) from error
    try:
        import pillow_heif

        pillow_heif.register_heif_opener()
    except ImportError:
        pass  # Pillow reads AVIF by itself
    try:
        with Image.open(io.BytesIO(data)) as opened:
            width, height = opened.size
            if width * height > MAX_PIXELS:
                raise EncodedImageError(
                    f'{len(data)} bytes that claim {width}x{height} pixels; at most '
                    f'{MAX_PIXELS:,} pixels are decoded'
                )
            upright = ImageOps.exif_transpose(opened).convert('RGB')
            return np.ascontiguousarray(np.asarray(upright, np.uint8)[..., ::-1])
    except Image.UnidentifiedImageError as error:
        raise EncodedImageError(problem) from error
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise EncodedImageError(f'{len(data)} bytes of damaged {kind} ({error})') from error
