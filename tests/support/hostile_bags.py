# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Bags as drivers record them, each with one peculiarity: written here, every pixel made up."""

import struct

import cv2
import numpy as np
from rosbags.rosbag2 import StoragePlugin
from rosbags.rosbag2 import Writer

from tests.support.bag_fixture import START_NS
from tests.support.bag_fixture import STORE
from tests.support.bag_fixture import TYPES

IMAGE, JPEG, INFO = (
    f'sensor_msgs/msg/{name}' for name in ('Image', 'CompressedImage', 'CameraInfo')
)
HEIGHT, WIDTH, FRAMES, PERIOD_NS = 120, 160, 3, 100_000_000
FOCAL, DEPTH_MM = 150.0, 1000
COLOUR_FRAME, DEPTH_FRAME = 'camera_color_optical_frame', 'camera_depth_optical_frame'
COLOUR, DEPTH = '/camera/color', '/camera/depth'
ALIGNED = '/camera/aligned_depth_to_color/image_raw'


def header(stamp_ns, frame=COLOUR_FRAME):
    """Return a std_msgs/Header."""
    time = TYPES['builtin_interfaces/msg/Time'](stamp_ns // 10**9, stamp_ns % 10**9)
    return TYPES['std_msgs/msg/Header'](time, frame)


def image(head, pixels, encoding, big_endian=False):
    """Return a sensor_msgs/Image of an array."""
    tight = np.ascontiguousarray(pixels)
    data = tight.reshape(-1).view(np.uint8)
    return TYPES[IMAGE](head, *pixels.shape[:2], encoding, int(big_endian), tight.strides[0], data)


def compressed(head, form, data):
    """Return a sensor_msgs/CompressedImage of a file's bytes."""
    return TYPES[JPEG](head, form, np.frombuffer(bytes(data), np.uint8))


def info(head, focal=FOCAL, size=(HEIGHT, WIDTH), centre=None, *, roi=(0, 0, 0, 0), **fields):
    """Return a CameraInfo; P is K's, unless it is given."""
    height, width = size
    cx, cy = centre or ((width - 1) / 2, (height - 1) / 2)
    k = np.array([focal, 0, cx, 0, focal, cy, 0, 0, 1.0])
    p = np.array([focal, 0, cx, 0, 0, focal, cy, 0, 0, 0, 1, 0.0])
    values = {
        'd': np.zeros(5), 'k': k, 'r': np.eye(3).ravel(), 'p': p, 'binning_x': 0, 'binning_y': 0,
    } | fields  # fmt: skip
    region = TYPES['sensor_msgs/msg/RegionOfInterest'](*roi, do_rectify=False)
    return TYPES[INFO](
        header=head, height=height, width=width, distortion_model='plumb_bob', roi=region, **values
    )


def photo(seed=0):
    """Return (120, 160, 3) uint8 BGR of a red disc and a blue box."""
    pixels = np.full((HEIGHT, WIDTH, 3), (160, 170, 180), np.uint8)
    cv2.circle(pixels, (45, 60), 20, (30, 40, 210), -1)
    cv2.rectangle(pixels, (100, 40), (125, 95), (200, 60, 40), -1)
    noise = np.random.default_rng(seed).integers(-5, 6, pixels.shape)
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)


def millimetres(value=DEPTH_MM):
    """Return depth of a plane across the optical axis, (120, 160) uint16."""
    return np.full((HEIGHT, WIDTH), value, np.uint16)


def jpeg(pixels):
    """Return a JPEG's bytes."""
    return cv2.imencode('.jpg', pixels)[1].tobytes()


def depth_png(words):
    """Return what compressedDepth sends of 16UC1."""
    return struct.pack('<iff', 0, 0.0, 0.0) + cv2.imencode('.png', words)[1].tobytes()


def record(path, streams, *, frames=FRAMES, stamps=True):
    """Write a bag.

    Args:
        path: The new folder.
        streams: For each topic its type and what makes message number n with a stamp (or None).
        frames: Messages on each topic.
        stamps: Whether headers have stamps; else all are 0.
    """
    with Writer(path, version=8, storage_plugin=StoragePlugin.MCAP) as writer:
        topics = {
            topic: writer.add_connection(topic, kind, typestore=STORE)
            for topic, (kind, _) in streams.items()
        }
        for number in range(frames):
            log_ns = START_NS + number * PERIOD_NS
            for place, (topic, (kind, make)) in enumerate(streams.items()):
                message = make(number, log_ns if stamps else 0)
                if message is not None:
                    raw = STORE.serialize_cdr(message, kind)
                    writer.write(topics[topic], log_ns + place * 1_000_000, raw)
    return path


def colour_stream(frame=COLOUR_FRAME):
    """Return a raw stream of photos."""
    return (IMAGE, lambda n, ns: image(header(ns, frame), photo(n), 'bgr8'))


def info_stream(*, frame=COLOUR_FRAME, **fields):
    """Return a stream of CameraInfo."""
    return (INFO, lambda n, ns: info(header(ns, frame), **fields))


def depth_stream(pixels=None, encoding='16UC1', *, frame=COLOUR_FRAME, big_endian=False):
    """Return a raw stream of depth."""
    shown = millimetres() if pixels is None else pixels
    return (IMAGE, lambda n, ns: image(header(ns, frame), shown, encoding, big_endian))


def rgbd(**changes):
    """Return the streams of an aligned RGB-D camera with some of them replaced or added."""
    streams = {
        f'{COLOUR}/camera_info': info_stream(),
        ALIGNED: depth_stream(),
        f'{COLOUR}/image_raw': colour_stream(),
    }
    names = {'info': f'{COLOUR}/camera_info', 'depth': ALIGNED, 'image': f'{COLOUR}/image_raw'}
    for name, stream in changes.items():
        streams[names[name]] = stream
    return streams


def realsense(*, aligned=True):
    """Return a RealSense with infrared on; its depth camera has its own intrinsics."""
    streams = rgbd() | {
        f'{DEPTH}/image_rect_raw': depth_stream(millimetres(700), frame=DEPTH_FRAME),
        f'{DEPTH}/camera_info': info_stream(frame=DEPTH_FRAME, focal=90.0, centre=(70.0, 50.0)),
        '/camera/infra1/image_rect_raw': (
            IMAGE,
            lambda n, ns: image(
                header(ns, 'camera_infra1_optical_frame'), photo(n)[..., 0], 'mono8'
            ),
        ),
        '/camera/infra1/camera_info': info_stream(frame='camera_infra1_optical_frame', focal=90.0),
    }
    if not aligned:
        del streams[ALIGNED]
    return streams
