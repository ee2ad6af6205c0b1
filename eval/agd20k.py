# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Reader of AGD20K and of folders in its layout.

    ROOT/<split>/<testset>/egocentric/<affordance>/<object>/<name>.{jpg,jpeg,png}
    ROOT/<split>/<testset>/GT/<affordance>/<object>/<name>.{png,jpg,jpeg}     8-bit grey

Splits are Seen and Unseen, and any other folder of this form (the tabletop has KeptOut and Val).
"""

import hashlib
import json
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from affordance_ros.image.decode import EncodedImageError
from affordance_ros.image.decode import read_image_file
from affordance_ros_eval.errors import EvaluationError
from affordance_ros_eval.errors import ImageProblemError
from affordance_ros_eval.errors import Problem

SUFFIXES = ('.jpg', '.jpeg', '.png')
_SHOWN = 5
_GREY = 16  # how far the channels of a grey image that was saved as JPEG may differ


@dataclass(frozen=True)
class Item:
    """One image, one action and their ground truth.

    Attributes:
        affordance: The action's folder, such as drink_with.
        object: The object's folder, such as wine_glass.
        name: The files' common name without suffix.
        image: The image; None where only maps are scored.
        truth: The ground truth.
    """

    affordance: str
    object: str
    name: str
    image: Path | None
    truth: Path

    @property
    def key(self) -> str:
        """What names this item in predictions and results."""
        return '/'.join(part for part in (self.affordance, self.object, self.name) if part)


@dataclass(frozen=True)
class Listing:
    """What a split's folder holds.

    Attributes:
        folder: The test folder.
        split: The split's name.
        items: Images with a ground truth, ordered by affordance, object and name.
        missing_truth: A problem for each image without one; the protocols skip these.
        missing_image: Keys of ground truths without an image.
        real: True if this is AGD20K itself, by its affordances and objects.
        warnings: Where it differs from what was published.
    """

    folder: Path
    split: str
    items: tuple[Item, ...]
    missing_truth: tuple[Problem, ...]
    missing_image: tuple[str, ...]
    real: bool
    warnings: tuple[str, ...]

    def digest(self) -> str:
        """Return a sha256 over the keys and the ground truths' bytes."""
        digest = hashlib.sha256()
        for item in self.items:
            digest.update(item.key.encode())
            digest.update(item.truth.read_bytes())
        return digest.hexdigest()


@cache
def facts() -> dict[str, Any]:
    """Return what is known of AGD20K: pairs, Unseen's affordances, numbers of images."""
    path = Path(__file__).with_name('agd20k_facts.json')
    content: dict[str, Any] = json.loads(path.read_text(encoding='utf-8'))
    return content


def list_split(root: Path, split: str, *, test_folder: str = 'testset') -> Listing:
    """List a split's items and say what is missing.

    Args:
        root: The folder that holds the splits.
        split: Seen, Unseen, or another folder's name.
        test_folder: testset, or testsetv2.

    Raises:
        EvaluationError: If the folders aren't there or empty, if two files claim one name, or if
            AGD20K's one split lies in the other's folder.
    """
    folder = _find_folder(root, split, test_folder)
    images = _files(folder / 'egocentric')
    truths = _files(folder / 'GT')
    if not images:
        raise EvaluationError(
            f'{folder / "egocentric"} holds no images: expected are '
            f'<affordance>/<object>/<name>{{{",".join(SUFFIXES)}}}'
        )
    items = tuple(
        Item(*key, image=path, truth=truths[key])
        for key, path in sorted(images.items())
        if key in truths
    )
    missing = tuple(
        Problem('/'.join(key), 'no ground truth', f'{path} has no ground truth in {folder / "GT"}')
        for key, path in sorted(images.items())
        if key not in truths
    )
    if not items:
        raise EvaluationError(
            f'none of the {len(images)} images in {folder / "egocentric"} has a ground truth '
            f'of its name in {folder / "GT"}, such as {missing[0].key}.png'
        )
    real = is_agd20k(root, images)
    warnings = check_split(folder, split, items) if real else ()
    orphans = tuple('/'.join(key) for key in sorted(truths.keys() - images.keys()))
    return Listing(folder, split, items, missing, orphans, real, tuple(warnings))


def read_image(path: Path) -> NDArray[np.uint8]:
    """Read an image, (H, W, 3) uint8 BGR, as it is stored.

    The EXIF orientation is not applied: the ground truths were drawn, and all published methods
    read, in the stored orientation.

    Raises:
        ImageProblemError: If it is not a whole image file.
    """
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    return _decode(path, flags, kind='unreadable image')


def read_truth(path: Path) -> NDArray[np.uint8]:
    """Read a ground truth, (H, W) uint8, as `cv2.imread(path, IMREAD_GRAYSCALE)` does.

    That reading is all published methods', and makes nothing of masks of 0 and 1 or of numbers up
    to 255 in 16 bits, and something else of colours; such files are refused.

    Raises:
        ImageProblemError: If it is not a whole image file, or not grey of 0 to 255.
    """
    stored = _decode(path, cv2.IMREAD_UNCHANGED, kind='unreadable ground truth')
    if problem := _not_a_truth(stored):
        raise ImageProblemError('ground truth', f'{path} {problem}')
    return _decode(path, cv2.IMREAD_GRAYSCALE, kind='unreadable ground truth')


def _not_a_truth(stored: NDArray[Any]) -> str:
    """Return why a file's pixels, as they are stored, are not grey values of 0 to 255."""
    highest = int(stored[..., :3].max() if stored.ndim == 3 else stored.max())
    if stored.dtype != np.uint8 and 0 < highest < 256:
        return (
            f'has {8 * stored.dtype.itemsize} bits and values up to {highest}: they are read as '
            f'0; save it as 8-bit grey'
        )
    if highest == 1:
        return 'has values of 0 and 1: multiply it by 255 and save it as 8-bit grey'
    if stored.ndim == 3:
        channels = stored[..., :3].astype(np.int32)
        if (np.ptp(channels, axis=-1) > _GREY).any():
            return 'is coloured: save the values as 8-bit grey, not a colour map of them'
        if stored.shape[2] == 4 and stored[..., 3].min() != stored[..., 3].max():
            return 'has its values in the alpha channel, which is not read: save them as grey'
    return ''


def _decode(path: Path, flags: int, *, kind: str) -> NDArray[np.uint8]:
    try:
        return read_image_file(path, flags)
    except OSError as error:
        raise ImageProblemError(kind, f'{path} can not be read: {error.strerror}') from error
    except EncodedImageError as error:
        raise ImageProblemError(kind, f'{path} holds {error}: fetch it again') from error


def _find_folder(root: Path, split: str, test_folder: str) -> Path:
    if not root.is_dir():
        raise EvaluationError(
            f'the root {root} is not a folder; give the one that holds Seen, Unseen'
        )
    folder = root / split / test_folder
    if (folder / 'egocentric').is_dir() and (folder / 'GT').is_dir():
        return folder
    if (root / test_folder).is_dir() or (root / 'egocentric').is_dir():
        raise EvaluationError(
            f'the root {root} is a split or a test folder itself; give the folder above that '
            f'holds {split}/{test_folder}'
        )
    inside = [p.parent for p in sorted(root.glob(f'*/{split}/')) if (p / test_folder).is_dir()]
    if inside:
        raise EvaluationError(f'the root {root} has no {split}; {inside[0]} has: give that one')
    for part in (root / split, folder):
        if not part.is_dir():
            raise EvaluationError(
                f'{part} is not there; {part.parent} holds {_names(part.parent)}. Expected is '
                f'{root}/<split>/{test_folder}/{{egocentric,GT}}/<affordance>/<object>/<name>'
            )
    raise EvaluationError(f'{folder} must hold egocentric and GT; it holds {_names(folder)}')


def _names(folder: Path) -> str:
    names = sorted(path.name for path in folder.iterdir())
    more = f' and {len(names) - _SHOWN} more' if len(names) > _SHOWN else ''
    return (', '.join(names[:_SHOWN]) + more) or 'nothing'


def _files(folder: Path) -> dict[tuple[str, str, str], Path]:
    found: dict[tuple[str, str, str], Path] = {}
    for path in sorted(folder.glob('*/*/*')):
        if path.suffix.lower() not in SUFFIXES or path.name.startswith('.'):
            continue
        if any(0xD800 <= ord(character) <= 0xDFFF for character in str(path)):
            raise EvaluationError(f'{str(path)!a} has a name that is not UTF-8: rename it')
        key = (path.parts[-3], path.parts[-2], path.stem)
        if key in found:
            raise EvaluationError(
                f'{found[key]} and {path.name} have one name: remove the one that is not meant'
            )
        found[key] = path
    return found


def is_agd20k(root: Path, keys: Iterable[tuple[str, str, str]]) -> bool:
    """Tell whether files are AGD20K's own, by their affordances and objects.

    Args:
        root: The data set's folder.
        keys: Affordance, object and name of each.
    """
    if (root / 'index.jsonl').is_file():  # the tabletop's
        return False
    pairs = facts()['pairs']
    return all(thing in pairs.get(affordance, ()) for affordance, thing, _ in keys)


def check_split(folder: Path, split: str, items: Sequence[Item]) -> list[str]:
    """Return where a split of AGD20K differs from what was published.

    Args:
        folder: For error texts.
        split: Seen or Unseen; another has nothing to differ from.
        items: What the split's folder holds.

    Raises:
        EvaluationError: If the one split lies in the other's folder.
    """
    unseen = set(facts()['unseen_affordances'])
    counts: dict[str, int] = facts()['images']
    found = {item.affordance for item in items}
    strange = sorted(found - unseen)
    if split == 'Unseen' and strange:
        raise EvaluationError(
            f'{folder} is given as Unseen and holds {len(items)} images of {len(found)} '
            f'affordances, among them {", ".join(strange[:_SHOWN])}, which only Seen has: this is '
            f"Seen's folder; give --split Seen, or unpack Unseen there"
        )
    if split == 'Seen' and found == unseen and len(items) == counts['Unseen']:
        raise EvaluationError(
            f'{folder} is given as Seen and holds just the {len(items)} images and '
            f"{len(found)} affordances of Unseen: this is Unseen's folder; give --split Unseen"
        )
    warnings = []
    expected = unseen if split == 'Unseen' else set(facts()['pairs'])
    if split in counts and expected - found:
        warnings.append(f'affordances without an image: {", ".join(sorted(expected - found))}')
    if split in counts and len(items) != counts[split]:
        warnings.append(
            f'{len(items):,} images with a ground truth, and {counts[split]:,} were published: '
            f'the result may not compare with the literature'
        )
    return warnings
