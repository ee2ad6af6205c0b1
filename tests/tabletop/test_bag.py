# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import itertools

import numpy as np
import pytest

from affordance_ros_tabletop.errors import StoreError
from tests.support.tabletop_fakes import needs_rendering

pytest.importorskip('rosbags', reason='rosbags is not installed')


@needs_rendering
def test_a_bag_comes_back_as_it_was_rendered(tmp_path):
    from rosbags.rosbag2 import Reader
    from rosbags.typesys import Stores
    from rosbags.typesys import get_typestore

    from affordance_ros_tabletop.bag import write_bag
    from affordance_ros_tabletop.orbit import Orbit

    options = {
        'seed': 4,
        'seconds': 1.0,
        'rate_hz': 3.0,
        'width': 96,
        'height': 64,
        'objects': ('mug', 'apple'),
    }
    path = tmp_path / 'bag'
    assert write_bag(path, **options) == 3
    store, got = get_typestore(Stores.ROS2_JAZZY), {}
    with Reader(path) as reader:
        types = {c.topic: c.msgtype for c in reader.connections}
        for connection, stamp, raw in reader.messages():
            message = store.deserialize_cdr(raw, connection.msgtype)
            header = message.header.stamp
            assert header.sec * 10**9 + header.nanosec == stamp
            got.setdefault(connection.topic, []).append(message)
    assert types == {
        '/camera/image': 'sensor_msgs/msg/Image',
        '/camera/depth': 'sensor_msgs/msg/Image',
        '/camera/camera_info': 'sensor_msgs/msg/CameraInfo',
    }
    with Orbit(4, 96, 64, objects=('mug', 'apple')) as orbit:
        shots = [orbit.shoot(k / 3.0) for k in range(3)]
        assert {p.instance.kind.name for p in orbit.placed} == {'mug', 'apple'}
    for k, shot in enumerate(shots):
        image, depth = got['/camera/image'][k], got['/camera/depth'][k]
        info = got['/camera/camera_info'][k]
        assert (image.encoding, depth.encoding) == ('rgb8', '16UC1')
        assert np.array_equal(image.data.reshape(64, 96, 3), shot.rgb)
        metres = depth.data.view(np.uint16).reshape(64, 96) / 1000.0
        assert np.abs(metres - shot.depth).max() <= 0.00051
        assert np.allclose(info.k.reshape(3, 3), shot.matrix)
        assert (info.width, info.height) == (96, 64)
    away = [np.linalg.norm(a.pose[:3, 3] - b.pose[:3, 3]) for a, b in itertools.pairwise(shots)]
    assert 0 < max(away) < 0.1
    with pytest.raises(StoreError, match='exists: remove it first'):
        write_bag(path, **options)
