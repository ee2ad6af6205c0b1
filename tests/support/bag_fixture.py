# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Small bags of images, written as a robot would record them; and bags read whole."""

import cv2
import numpy as np
from rosbags.highlevel import AnyReader
from rosbags.interfaces import Qos
from rosbags.interfaces import QosDurability
from rosbags.interfaces import QosHistory
from rosbags.interfaces import QosLiveliness
from rosbags.interfaces import QosReliability
from rosbags.interfaces import QosTime
from rosbags.rosbag2 import StoragePlugin
from rosbags.rosbag2 import Writer
from rosbags.typesys import Stores
from rosbags.typesys import get_typestore

STORE = get_typestore(Stores.ROS2_HUMBLE)
TYPES = STORE.types
START_NS = 1_700_000_000_000_000_000
SENSOR_QOS = Qos(
    QosHistory.KEEP_LAST, 5, QosReliability.BEST_EFFORT, QosDurability.VOLATILE,
    QosTime(0, 0), QosTime(0, 0), QosLiveliness.AUTOMATIC, QosTime(0, 0), False,
)  # fmt: skip


def record(path, photos, *, topic='/camera/image', storage='mcap', compressed=False):
    """Write images (H, W, 3) BGR, one a second; log times lie 3 ms after the stamps.

    Beside them a std_msgs/String is recorded each second, as what else a robot records.
    """
    plugin = {'mcap': StoragePlugin.MCAP, 'sqlite3': StoragePlugin.SQLITE3}[storage]
    kind = f'sensor_msgs/msg/{"CompressedImage" if compressed else "Image"}'
    with Writer(path, version=8, storage_plugin=plugin) as writer:
        images = writer.add_connection(
            topic, kind, typestore=STORE, offered_qos_profiles=[SENSOR_QOS]
        )
        texts = writer.add_connection('/chatter', 'std_msgs/msg/String', typestore=STORE)
        for number, photo in enumerate(photos):
            log_ns = START_NS + number * 10**9
            text = TYPES['std_msgs/msg/String'](f'message {number}')
            writer.write(texts, log_ns, STORE.serialize_cdr(text, 'std_msgs/msg/String'))
            message = (jpeg if compressed else image)(photo, header(log_ns - 3_000_000, number))
            writer.write(images, log_ns, STORE.serialize_cdr(message, kind))
    return path


def header(stamp_ns, number):
    """Return a header whose frame_id no other message has."""
    time = TYPES['builtin_interfaces/msg/Time'](stamp_ns // 10**9, stamp_ns % 10**9)
    return TYPES['std_msgs/msg/Header'](time, f'camera{number}')


def image(photo, head):
    """Return a bgr8 Image; an empty image gives one without data."""
    height, width = photo.shape[:2]
    data = np.ascontiguousarray(photo).ravel()
    return TYPES['sensor_msgs/msg/Image'](head, height, width, 'bgr8', 0, 3 * width, data)


def jpeg(photo, head):
    """Return a CompressedImage of an image."""
    data = cv2.imencode('.jpg', photo)[1].ravel()
    return TYPES['sensor_msgs/msg/CompressedImage'](head, 'jpeg', data)


def read_all(path):
    """Return every message by topic: a list of (log time, raw bytes, message)."""
    found = {}
    with AnyReader([path], default_typestore=STORE) as reader:
        for connection, log_ns, raw in reader.messages():
            message = reader.deserialize(raw, connection.msgtype)
            found.setdefault(connection.topic, []).append((log_ns, bytes(raw), message))
    return found


def to_array(message):
    """Return an Image message's pixels, 32FC1, mono8 or bgr8."""
    shape = (message.height, message.width)
    if message.encoding == '32FC1':
        return message.data.view(np.float32).reshape(shape)
    return message.data.reshape(shape if message.encoding == 'mono8' else (*shape, 3))
