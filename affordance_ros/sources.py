# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Where the camera node's frames come from: photos, a video, a webcam, or a bag."""

import functools
import itertools
import logging
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from affordance_ros.image.bit_depth import BitDepth
from affordance_ros.image.decode import MAX_BYTES
from affordance_ros.image.decode import MAX_PIXELS
from affordance_ros.image.decode import EncodedImageError
from affordance_ros.image.decode import decode_image
from affordance_ros.image.heif import decode_heif
from affordance_ros.image.heif import heif_kind
from affordance_ros.image.ros_image import MessageError
from affordance_ros.image.source_frame import SourceError
from affordance_ros.image.source_frame import SourceFrame
from affordance_ros.safe_io.files import read_bounded

_LOG = logging.getLogger(__name__)
OnSkip = Callable[[MessageError], None]
_BAG_SUFFIXES = ('.mcap', '.db3')
IMAGE_SUFFIXES = ('.bmp', '.jfif', '.jpe', '.jpeg', '.jpg', '.png', '.webp')
# Read where something that reads them is installed; see `image.heif`.
_HEIF_SUFFIXES = ('.avif', '.heic', '.heif')
_UNREAD_SUFFIXES = (
    '.arw', '.cr2', '.cr3', '.dng', '.exr', '.gif', '.hdr', '.jp2', '.jxl', '.nef', '.pgm', '.ppm',
    '.raw', '.svg', '.tga', '.tif', '.tiff',
)  # fmt: skip


@dataclass(frozen=True)
class BagChoice:
    """Which topics of a bag to read; what is empty is looked for in the bag.

    Attributes:
        topic: Of the images.
        depth_topic: Of their depth.
        camera_info_topic: Of their CameraInfo.
        allow_other_frames: Whether depth of another frame than the images' may be chosen.
    """

    topic: str = ''
    depth_topic: str = ''
    camera_info_topic: str = ''
    allow_other_frames: bool = False


def is_bag(path: Path) -> bool:
    """Tell whether a path is a rosbag2: a folder with metadata, or a single file."""
    if path.is_dir():
        return (path / 'metadata.yaml').is_file()
    return path.suffix in _BAG_SUFFIXES and path.is_file()


def is_photo_name(path: Path) -> bool:
    """Tell whether a path is called like a photo, of a format that is read or not."""
    return path.suffix.lower() in (*IMAGE_SUFFIXES, *_HEIF_SUFFIXES, *_UNREAD_SUFFIXES)


def find_images(folder: Path, on_skip: OnSkip | None = None) -> list[Path]:
    """Return a folder's photos by name.

    Args:
        folder: The folder.
        on_skip: Told of the images of formats that are not read; by default they are logged.

    Raises:
        SourceError: If it can't be listed, or holds no photos.
    """
    try:
        files = sorted(folder.iterdir())
    except OSError as error:
        raise SourceError(f'{folder} can not be listed: {error.strerror}') from error
    paths = [p for p in files if p.suffix.lower() in (*IMAGE_SUFFIXES, *_HEIF_SUFFIXES)]
    unread = [p.name for p in files if p.suffix.lower() in _UNREAD_SUFFIXES]
    if unread:
        (on_skip or _log_skip)(
            MessageError(
                'format',
                f'{folder} holds {len(unread)} images of formats that are not read, such as '
                f'{", ".join(unread[:3])}: convert them to JPEG or PNG',
            )
        )
    if not paths:
        raise SourceError(f'{folder} holds no photos ({", ".join(IMAGE_SUFFIXES)})')
    return paths


def read_image(path: Path) -> NDArray[np.uint8]:
    """Read a photo, turned upright by its EXIF orientation.

    Args:
        path: JPEG, PNG (16 bits are scaled by the bits in use), WebP or BMP, whatever its suffix;
            HEIC or AVIF where something that reads them is installed.

    Returns:
        (H, W, 3) uint8 BGR.

    Raises:
        SourceError: If it is not an image, or too large a one.
    """
    try:
        data = read_bounded(path, limit_bytes=MAX_BYTES)
        if heif_kind(data):
            return decode_heif(data)
        pixels = decode_image(data, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
        deep = pixels.dtype == np.uint16
        return BitDepth().scale(np.asarray(pixels, np.uint16)) if deep else pixels
    except OSError as error:
        raise SourceError(f'{path} can not be read: {error.strerror}') from error
    except EncodedImageError as error:
        raise SourceError(f'{path} holds {error}') from error


def open_source(
    source: str,
    *,
    loop: bool,
    bag: BagChoice | None = None,
    on_skip: OnSkip | None = None,
) -> Iterator[SourceFrame]:
    """Open a source of frames.

    Args:
        source: A folder of photos, a rosbag2 (a folder, or a single .mcap or .db3), a photo, a
            video file, or a webcam's number such as '0'.
        loop: Start again at the end; a webcam has none.
        bag: Which topics of a bag to read.
        on_skip: Told of each frame, or frame's depth, that could not be used and was left out; by
            default the reason is logged.

    Returns:
        An iterator of frames, each read when its turn comes; a bag's first one at once. It raises
        SourceError where not one frame can be used.

    Raises:
        SourceError: If the source can't be opened or is empty.
    """
    on_skip = on_skip or _log_skip
    path = Path(source).expanduser()
    if is_bag(path):
        bags = functools.partial(_bag, path, bag or BagChoice())
        frames = _Rounds(source, bags, on_skip).play(loop)
        # Begun at once, so that a topic that is not there is an error here.
        return itertools.chain([next(frames)], frames)
    if path.is_dir():
        photos = functools.partial(_photos, find_images(path, on_skip))
        return _Rounds(source, photos, on_skip).play(loop)
    if path.is_file() and is_photo_name(path):
        return _Rounds(source, functools.partial(_photos, [path]), on_skip).play(loop)
    if not path.is_file() and not source.isdecimal():
        raise SourceError(
            f'source {source!r} is not a folder, bag, photo, video file or webcam number; '
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
            f'the video {source!r} has images of {width}x{height} pixels; at most '
            f'{MAX_PIXELS:,} are read'
        )
    return _video(capture, loop=loop and not source.isdecimal())


class _Rounds:
    """Plays a source that can be begun again, and ends where a whole round has no frame.

    Args:
        name: For error texts.
        begin: Yields a round's frames and tells its argument what it leaves out.
        on_skip: Told of what is left out.
    """

    def __init__(
        self, name: str, begin: Callable[[OnSkip], Iterator[SourceFrame]], on_skip: OnSkip
    ) -> None:
        self._name = name
        self._begin = begin
        self._on_skip = on_skip
        self._first = ''

    def play(self, loop: bool) -> Iterator[SourceFrame]:
        """Yield frames; for ever, if they are to begin again."""
        while True:
            count = 0
            for frame in self._begin(self._skip):
                count += 1
                yield frame
            if not count:
                reason = f'; the first: {self._first}' if self._first else ''
                raise SourceError(f'not one image of {self._name!r} can be used{reason}')
            if not loop:
                return

    def _skip(self, error: MessageError) -> None:
        self._first = self._first or str(error)
        self._on_skip(error)


def _log_skip(error: MessageError) -> None:
    _LOG.warning('left out: %s', error)


def _photos(paths: list[Path], on_skip: OnSkip) -> Iterator[SourceFrame]:
    for path in paths:
        try:
            yield SourceFrame(read_image(path))
        except SourceError as error:
            on_skip(MessageError('photo', str(error)))


def _bag(path: Path, choice: BagChoice, on_skip: OnSkip) -> Iterator[SourceFrame]:
    # Slow to import, and for bags alone.
    try:
        from affordance_ros.bag.frames import read_bag
        from affordance_ros.bag.topics import DepthTopics
        from affordance_ros.bag.topics import TopicOptions
    except ImportError as error:
        raise SourceError(f'{path} is a bag, and reading it needs: pip install rosbags') from error
    return read_bag(
        path,
        choice.topic,
        DepthTopics(choice.depth_topic, choice.camera_info_topic),
        options=TopicOptions('topic', 'depth_topic', 'camera_info_topic'),
        allow_other_frames=choice.allow_other_frames,
        on_skip=on_skip,
    )


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
