# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""vision_msgs detections, read back by what has nothing to do with us."""

import pytest

from affordance_ros.text.commands import BoundCommand
from tests.conftest import ROOT
from tests.support.located import LOCATED
from tests.support.located import through_rosbags

pytestmark = [pytest.mark.ros]


def test_detections_in_the_image_have_boxes_in_pixels(header):
    from affordance_ros.nodes.grounding.detections import to_detections_2d

    message = to_detections_2d(LOCATED, 'hold the mug', header=header)
    heard = through_rosbags(message, 'vision_msgs/msg/Detection2DArray', vision_types())
    assert heard.header.frame_id == 'camera_optical_frame'
    assert [d.id for d in heard.detections] == ['4', '5', '0']
    first = heard.detections[0]
    assert first.header.stamp.nanosec == 34
    (result,) = first.results
    assert (result.hypothesis.class_id, result.hypothesis.score) == ('hold the mug', 0.9)
    place = result.pose.pose.position
    assert (place.x, place.y, place.z) == (3.0, 2.0, 0.0)
    # Columns 2 to 6 and rows 1 to 3, whose centres are at integers.
    centre = first.bbox.center.position
    assert (centre.x, centre.y, first.bbox.size_x, first.bbox.size_y) == (4.0, 2.0, 5.0, 3.0)


def test_detections_in_3d_are_those_that_have_a_point(header):
    from affordance_ros.nodes.grounding.detections import to_detections_3d

    message = to_detections_3d(LOCATED, 'hold the mug', header=header)
    heard = through_rosbags(message, 'vision_msgs/msg/Detection3DArray', vision_types())
    assert [d.id for d in heard.detections] == ['4', '0']
    first, last = heard.detections
    (result,) = first.results
    place = result.pose.pose.position
    assert (place.x, place.y, place.z) == (0.1, -0.2, 0.7)
    q = result.pose.pose.orientation
    # Its x axis points into the surface, whose normal is (0, 0, -1).
    assert 2 * (q.x * q.z - q.y * q.w) == pytest.approx(1.0)
    assert (first.bbox.size.x, first.bbox.size.y, first.bbox.size.z) == (0.1, 0.2, 0.03)
    centre = first.bbox.center
    assert (centre.position.x, centre.position.y, centre.position.z) == (0.0, 0.0, 0.72)
    assert centre.orientation.w == 1.0
    assert last.bbox.size.x == 0.0 and last.bbox.center.position.z == 0.5


@pytest.mark.parametrize('name', ['detections_2d', 'detections_3d'])
def test_the_bag_tool_writes_the_nodes_detections(header, name):
    """Byte by byte, but for what rclpy leaves between fields."""
    from rclpy.serialization import serialize_message

    from affordance_ros.bag import run
    from affordance_ros.bag.messages import OutputMessages
    from affordance_ros.nodes.grounding import detections

    make = OutputMessages()
    types = make.store.types
    stamp = types['builtin_interfaces/msg/Time'](header.stamp.sec, header.stamp.nanosec)
    head = types['std_msgs/msg/Header'](stamp, header.frame_id)
    command = BoundCommand('hold the mug', 7)
    written = getattr(make, name)(LOCATED, command, header=head)
    sent = getattr(detections, f'to_{name}')(LOCATED, command.text, header=header)
    kind = run.OUTPUTS[name.removesuffix('_2d')]
    heard = make.store.deserialize_cdr(serialize_message(sent), kind)
    assert bytes(written) == bytes(make.store.serialize_cdr(heard, kind))


def vision_types():
    """Return vision_msgs' definitions as they are built here."""
    from rosbags.typesys import get_types_from_msg

    types = {}
    for path in (ROOT / 'interfaces' / 'vision_msgs' / 'msg').glob('*.msg'):
        types.update(get_types_from_msg(path.read_text(), f'vision_msgs/msg/{path.stem}'))
    return types
