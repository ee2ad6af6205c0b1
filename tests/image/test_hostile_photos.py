# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Photos as phones, scanners, cameras and downloads leave them: right pixels, or a refusal."""

import io
import struct

import cv2
import numpy as np
import pytest
from PIL import Image

from affordance_ros.image.source_frame import SourceError
from affordance_ros.sources import find_images
from affordance_ros.sources import open_source
from affordance_ros.sources import read_image
from tests.support.mosaics import smooth_photo

PHOTO = smooth_photo(96, 128)
UPRIGHT = Image.fromarray(PHOTO[..., ::-1].copy())
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_270,
}  # fmt: skip
HEIC = b'\0\0\0\x18ftypheic\0\0\0\0mif1heic' + bytes(4000)


def saved(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def exif(orientation):
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags.tobytes()


def without_adobe(data):
    """Return a CMYK JPEG without the marker that says its inks are inverted."""
    at = data.find(b'\xff\xee')
    (length,) = struct.unpack_from('>H', data, at + 2)
    return data[:at] + data[at + 2 + length :]


def png16(pixels):
    return cv2.imencode('.png', pixels.astype(np.uint16) * 257)[1].tobytes()


RIGHT = {
    'plain.jpg': saved(UPRIGHT, 'JPEG', quality=95),
    'photo.jfif': saved(UPRIGHT, 'JPEG', quality=95),
    'UPPER.JPG': saved(UPRIGHT, 'JPEG', quality=95),
    'progressive.jpg': saved(UPRIGHT, 'JPEG', quality=95, progressive=True),
    'optimised.jpg': saved(UPRIGHT, 'JPEG', quality=95, optimize=True),
    'küche Ümlaut 厨房.jpg': saved(UPRIGHT, 'JPEG', quality=95),
    'wrong_suffix.png': saved(UPRIGHT, 'JPEG', quality=95),
    'wrong_suffix.heic': saved(UPRIGHT, 'JPEG', quality=95),
    'cmyk.jpg': saved(UPRIGHT.convert('CMYK'), 'JPEG', quality=95),
    'plain.png': saved(UPRIGHT, 'PNG'),
    'rgb16.png': png16(PHOTO),
    'rgba.png': saved(UPRIGHT.convert('RGBA'), 'PNG'),
    'plain.webp': saved(UPRIGHT, 'WEBP', lossless=True),
    'lossy.webp': saved(UPRIGHT, 'WEBP', quality=95),
    **{
        f'exif{o}.{kind.lower()}': saved(
            UPRIGHT.transpose(turn),
            kind,
            exif=exif(o),
            **({'lossless': True} if kind == 'WEBP' else {'quality': 95}),
        )
        for o, turn in TURNS.items()
        for kind in ('JPEG', 'PNG', 'WEBP')
    },
}
JPEG = RIGHT['plain.jpg']
REFUSED = {
    **{f'cut{part}.jpg': JPEG[: len(JPEG) * part // 100] for part in (25, 50, 90, 99)},
    'cut_progressive.jpg': RIGHT['progressive.jpg'][: len(RIGHT['progressive.jpg']) // 2],
    'zero_tail.jpg': JPEG[: len(JPEG) // 2] + bytes(len(JPEG) // 2),
    'hole.jpg': JPEG[: len(JPEG) // 3] + bytes(200) + JPEG[len(JPEG) // 3 + 200 :],
    'cut.png': RIGHT['plain.png'][: len(RIGHT['plain.png']) // 2],
    'hole.png': RIGHT['plain.png'][:200] + bytes(200) + RIGHT['plain.png'][400:],
    'cut.webp': RIGHT['lossy.webp'][: len(RIGHT['lossy.webp']) // 2],
    'empty.jpg': b'',
    'IMG_0001.HEIC': HEIC,
    'IMG_0002.jpg': HEIC,
    'giant.png': saved(Image.new('1', (20000, 10000)), 'PNG'),
}


@pytest.mark.parametrize('name', RIGHT)
def test_a_whole_photo_has_its_pixels_upright(tmp_path, name):
    (tmp_path / name).write_bytes(RIGHT[name])
    found = read_image(tmp_path / name)
    assert found.shape == PHOTO.shape
    # PIL and OpenCV turn inks into colours by different tables.
    assert np.abs(found.astype(int) - PHOTO).mean() < (30 if 'cmyk' in name else 3)


@pytest.mark.parametrize('name', REFUSED)
def test_what_is_not_whole_or_not_read_is_refused_by_name(tmp_path, name):
    (tmp_path / name).write_bytes(REFUSED[name])
    with pytest.raises(SourceError, match=name.replace('.', r'\.') + ' holds'):
        read_image(tmp_path / name)


@pytest.mark.parametrize('bits', [10, 12, 14, 16])
def test_a_png_of_fewer_bits_than_16_is_not_black(tmp_path, bits):
    bright = PHOTO.copy()
    bright[0, 0] = 255
    words = np.rint(bright / 255 * (2**bits - 1)).astype(np.uint16)
    (tmp_path / 'scan.png').write_bytes(cv2.imencode('.png', words)[1].tobytes())
    assert np.abs(read_image(tmp_path / 'scan.png').astype(int) - bright).max() <= 1


def test_a_folder_of_all_of_them_plays_what_is_whole(tmp_path):
    """A dangling link and formats that are not read are named; nothing ends the playback."""
    for name, data in {**RIGHT, **REFUSED, 'scan.tif': b'II*\0', 'anim.gif': b'GIF89a'}.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / 'dangling.jpg').symlink_to('nowhere.jpg')
    (tmp_path / 'notes.txt').write_text('no photo')
    left_out = []
    frames = list(open_source(str(tmp_path), loop=False, on_skip=left_out.append))
    assert len(frames) == len(RIGHT)
    texts = [str(error) for error in left_out]
    assert len(texts) == len(REFUSED) + 2
    for name in (*REFUSED, 'dangling.jpg', 'scan.tif', 'anim.gif'):
        assert sum(name in text for text in texts) == 1, name


def test_photos_are_decoded_when_their_turn_comes(tmp_path, monkeypatch):
    """A folder of forty large photos would fill the memory."""
    for number in range(40):
        (tmp_path / f'{number:02d}.jpg').write_bytes(JPEG)
    decoded = []
    monkeypatch.setattr(
        'affordance_ros.sources.read_image', lambda path: decoded.append(path.name) or PHOTO
    )
    frames = open_source(str(tmp_path), loop=True)
    assert decoded == []
    next(frames), next(frames)
    assert decoded == ['00.jpg', '01.jpg']
    assert len(find_images(tmp_path)) == 40


def test_a_folder_of_bad_photos_ends_with_the_first_reason(tmp_path):
    (tmp_path / 'a.jpg').write_bytes(b'')
    with pytest.raises(SourceError, match=r'not one image .* the first: .*a\.jpg holds 0 bytes'):
        list(open_source(str(tmp_path), loop=True, on_skip=lambda error: None))


def heic(orientation=1):
    """Return the photo as a phone writes it, turned by its EXIF data."""
    pytest.importorskip('pillow_heif').register_heif_opener()
    stored = UPRIGHT if orientation == 1 else UPRIGHT.transpose(TURNS[orientation])
    return saved(stored, 'HEIF', exif=exif(orientation), quality=95)


@pytest.mark.parametrize('orientation', [1, 3, 6, 8])
def test_a_phones_heic_is_upright_where_pillow_heif_is_installed(tmp_path, orientation):
    for name in ('IMG_0001.HEIC', 'renamed.jpg'):
        (tmp_path / name).write_bytes(heic(orientation))
        found = read_image(tmp_path / name)
        assert found.shape == PHOTO.shape
        assert np.abs(found.astype(int) - PHOTO).mean() < 4


@pytest.mark.parametrize('share', [0.1, 0.5, 0.99])
def test_a_cut_heic_is_refused(tmp_path, share):
    data = heic()
    (tmp_path / 'cut.HEIC').write_bytes(data[: int(len(data) * share)])
    with pytest.raises(SourceError, match=r'cut\.HEIC holds \d+ bytes of (damaged )?HEIC'):
        read_image(tmp_path / 'cut.HEIC')
