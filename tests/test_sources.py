# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import cv2
import numpy as np
import pytest

from affordance_ros import sources
from affordance_ros.image.source_frame import SourceError
from affordance_ros.sources import open_source
from affordance_ros.sources import read_image
from affordance_ros.spatial.depth import DepthImage


@pytest.fixture
def folder(tmp_path):
    for index, name in enumerate(['b.png', 'a.PNG', 'c.bmp']):
        image = np.full((8, 10 + index, 3), 40 * index, np.uint8)
        (tmp_path / name).write_bytes(cv2.imencode('.png', image)[1].tobytes())
    (tmp_path / 'notes.txt').write_text('no photo')
    return tmp_path


def test_a_folder_plays_by_name_and_ends(folder):
    assert [f.bgr.shape[1] for f in open_source(str(folder), loop=False)] == [11, 10, 12]


def test_a_looping_folder_starts_again(folder):
    frames = open_source(str(folder), loop=True)
    assert [next(frames).bgr.shape[1] for _ in range(5)] == [11, 10, 12, 11, 10]


def test_a_video_plays_and_loops(tmp_path):
    path = tmp_path / 'video.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 10, (64, 48))
    for value in (0, 80, 160):
        writer.write(np.full((48, 64, 3), value, np.uint8))
    writer.release()
    assert len(list(open_source(str(path), loop=False))) == 3
    frames = open_source(str(path), loop=True)
    means = [next(frames).bgr.mean() for _ in range(6)]
    assert means[:3] == pytest.approx([0, 80, 160], abs=6)
    assert means[3:] == pytest.approx(means[:3], abs=1)


def test_a_video_of_too_many_pixels_is_refused_before_an_image_is_decoded(tmp_path, monkeypatch):
    path = tmp_path / 'video.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 10, (64, 48))
    writer.write(np.zeros((48, 64, 3), np.uint8))
    writer.release()
    monkeypatch.setattr(sources, 'MAX_PIXELS', 64 * 48)
    assert len(list(open_source(str(path), loop=False))) == 1
    monkeypatch.setattr(sources, 'MAX_PIXELS', 64 * 48 - 1)
    with pytest.raises(SourceError, match='images of 64x48 pixels; at most 3,071 are read'):
        open_source(str(path), loop=False)


@pytest.mark.parametrize('source', ['nowhere', 'nowhere/film.mp4', ''])
def test_a_missing_source_is_named(source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceError, match='holds no photos' if source == '' else 'nowhere'):
        open_source(source, loop=True)


def test_what_opencv_can_not_open_is_named(tmp_path):
    path = tmp_path / 'film.mp4'
    path.write_bytes(b'no film')
    with pytest.raises(SourceError, match=r'can not open the video or webcam .*film\.mp4'):
        open_source(str(path), loop=True)
    with pytest.raises(SourceError, match="webcam '63'"):
        open_source('63', loop=True)


def test_a_broken_or_empty_photo_is_named(tmp_path):
    for name, data in (('broken.jpg', b'\xff\xd8'), ('empty.jpg', b'')):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(SourceError, match=name):
            read_image(tmp_path / name)


def write_bag(path, *, compressed=False, depth_encoding='16UC1', colour=True):
    """Write three frames of 8x6 pixels with depth and intrinsics, as a robot would record them."""
    from rosbags.rosbag2 import StoragePlugin
    from rosbags.rosbag2 import Writer
    from rosbags.typesys import Stores
    from rosbags.typesys import get_typestore

    store = get_typestore(Stores.ROS2_JAZZY)
    types = store.types
    image_type, jpeg_type = (
        types['sensor_msgs/msg/Image'],
        types['sensor_msgs/msg/CompressedImage'],
    )
    info_type, roi_type = (
        types['sensor_msgs/msg/CameraInfo'],
        types['sensor_msgs/msg/RegionOfInterest'],
    )
    matrix = np.array([100.0, 0, 3.5, 0, 100.0, 2.5, 0, 0, 1.0])
    with Writer(path, version=9, storage_plugin=StoragePlugin.MCAP) as writer:

        def add(topic, message, stamp):
            name = message.__msgtype__
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, name, typestore=store)
            writer.write(connections[topic], stamp, store.serialize_cdr(message, name))

        connections = {}
        for index in range(3):
            time = types['builtin_interfaces/msg/Time'](sec=index, nanosec=0)
            header = types['std_msgs/msg/Header'](stamp=time, frame_id='camera')
            info = info_type(
                header, 6, 8, 'plumb_bob', np.zeros(5), matrix, np.eye(3).ravel(),
                np.zeros(12), 0, 0, roi_type(0, 0, 0, 0, False),
            )  # fmt: skip
            add('/camera/camera_info', info, index)
            if index < 2:  # the last frame comes without depth
                dtype = np.uint16 if depth_encoding == '16UC1' else np.float32
                depth = np.full((6, 8), 750 if dtype is np.uint16 else 0.75, dtype)
                depth[0, 0] = 0
                add('/camera/depth', image_type(header, 6, 8, depth_encoding, 0, depth.strides[0],
                    depth.view(np.uint8).ravel()), index)  # fmt: skip
            pixels = np.full((6, 8, 3), (10, 20, 40 * index), np.uint8)
            if not colour:
                continue
            if compressed:
                data = cv2.imencode('.png', pixels)[1].ravel()
                add('/camera/image/compressed', jpeg_type(header, 'png', data), index)
            else:
                rgb = np.ascontiguousarray(pixels[..., ::-1])
                add('/camera/image', image_type(header, 6, 8, 'rgb8', 0, 24, rgb.ravel()), index)


@pytest.mark.parametrize('compressed', [False, True])
@pytest.mark.parametrize('depth_encoding', ['16UC1', '32FC1'])
def test_a_bag_plays_with_depth_and_intrinsics_and_loops(tmp_path, compressed, depth_encoding):
    write_bag(tmp_path / 'bag', compressed=compressed, depth_encoding=depth_encoding)
    source = open_source(str(tmp_path / 'bag'), loop=True)
    frames = [next(source) for _ in range(4)]
    assert [tuple(f.bgr[0, 0]) for f in frames] == [
        (10, 20, 0),
        (10, 20, 40),
        (10, 20, 80),
        (10, 20, 0),
    ]
    metres = DepthImage.view(frames[0].depth).metres()
    assert np.isnan(metres[0, 0])
    assert metres[3, 3] == pytest.approx(0.75)
    assert frames[2].depth is None
    assert frames[2].camera_info.k[:3].tolist() == [100.0, 0.0, 3.5]


def test_depth_of_another_encoding_in_a_bag_is_named(tmp_path):
    write_bag(tmp_path / 'bag', depth_encoding='8UC1')
    left_out = []
    frames = list(open_source(str(tmp_path / 'bag'), loop=False, on_skip=left_out.append))
    assert [frame.depth for frame in frames] == [None] * 3
    assert [(error.cause, "encoding '8UC1'" in str(error)) for error in left_out] == [
        ('encoding', True)
    ] * 2


def test_a_bag_without_colour_or_a_broken_one_is_named(tmp_path):
    write_bag(tmp_path / 'grey', colour=False)
    with pytest.raises(SourceError, match=r'grey has no topic of colour images; .*camera/depth'):
        open_source(str(tmp_path / 'grey'), loop=False)
    (tmp_path / 'broken').mkdir()
    (tmp_path / 'broken' / 'metadata.yaml').write_text('nonsense: 1')
    with pytest.raises(SourceError, match=r'broken can not be read'):
        list(open_source(str(tmp_path / 'broken'), loop=False))
