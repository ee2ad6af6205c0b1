# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Where the camera node's frames come from: photos, a video, a webcam, or a bag."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from affordance_ros.bag.frames import is_bag
from affordance_ros.bag.frames import read_bag
from affordance_ros.image.decode import MAX_PIXELS
from affordance_ros.image.decode import EncodedImageError
from affordance_ros.image.decode import read_image_file
from affordance_ros.image.source_frame import SourceError
from affordance_ros.image.source_frame import SourceFrame

IMAGE_SUFFIXES = ('.bmp', '.jpeg', '.jpg', '.png', '.webp')


def find_images(folder: Path) -> list[Path]:
    """Return a folder's photos by name.

    Raises:
        SourceError: If there are none.
    """
    paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES)
    if not paths:
        raise SourceError(f'{folder} holds no photos ({", ".join(IMAGE_SUFFIXES)})')
    return paths


def read_image(path: Path) -> NDArray[np.uint8]:
    """Read a photo, turned upright by its EXIF orientation.

    Returns:
        (H, W, 3) uint8 BGR.

    Raises:
        SourceError: If it is not an image, or too large a one.
    """
    try:
        return read_image_file(path)
    except OSError as error:
        raise SourceError(f'{path} can not be read: {error.strerror}') from error
    except EncodedImageError as error:
        raise SourceError(f'{path} holds {error}') from error


def open_source(source: str, *, loop: bool) -> Iterator[SourceFrame]:
    """Open a source of frames.

    Args:
        source: A folder of photos or a rosbag2, a photo, a video file, or a webcam's number such
            as '0'.
        loop: Start again at the end; a webcam has none.

    Returns:
        An iterator of frames. Photos and videos are opened and checked at once.

    Raises:
        SourceError: If the source can't be opened or is empty.
    """
    path = Path(source).expanduser()
    if path.is_dir() and is_bag(path):
        return _bag(path, loop=loop)
    if path.is_dir():
        return _photos(find_images(path), loop=loop)
    if path.is_file() and path.suffix.lower() in IMAGE_SUFFIXES:
        return _photos([path], loop=loop)
    if not path.is_file() and not source.isdecimal():
        raise SourceError(
            f'source {source!r} is no folder, bag, photo, video file or webcam number; '
            f'give for example source:=/path/to/photos or source:=0'
        )
    capture = cv2.VideoCapture(int(source) if source.isdecimal() else str(path))
    if not capture.isOpened():
        raise SourceError(f'OpenCV can not open the video or webcam {source!r}')
    width, height = (
        int(capture.get(size)) for size in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)
    )
    if width * height > MAX_PIXELS:
        capture.release()
        raise SourceError(
            f'the video {source!r} has pictures of {width}x{height} pixels; at most '
            f'{MAX_PIXELS:,} are read'
        )
    return _video(capture, loop=loop and not source.isdecimal())


def _photos(paths: list[Path], *, loop: bool) -> Iterator[SourceFrame]:
    frames = [SourceFrame(read_image(path)) for path in paths]

    def play() -> Iterator[SourceFrame]:
        yield from frames
        while loop:
            yield from frames

    return play()


def _bag(path: Path, *, loop: bool) -> Iterator[SourceFrame]:
    yield from read_bag(path)
    while loop:
        yield from read_bag(path)


def _video(capture: cv2.VideoCapture, *, loop: bool) -> Iterator[SourceFrame]:
    try:
        while True:
            read, frame = capture.read()
            if read:
                yield SourceFrame(np.asarray(frame, np.uint8))
            elif loop and capture.get(cv2.CAP_PROP_POS_FRAMES) > 0:
                capture.set(cv2.CAP_PROP_POS_FRAMES, 0)
            else:
                return
    finally:
        capture.release()
