"""RViz is in no package index, so its configuration is checked against what the node publishes."""

import pytest
import yaml

from tests.conftest import ROOT

CONFIG = yaml.safe_load((ROOT / 'rviz' / 'grounding.rviz').read_text())['Visualization Manager']
MESSAGES = {'rviz_default_plugins/Image': 'sensor_msgs/msg/Image'}
TOPIC_KEYS = {
    'Depth', 'Durability Policy', 'History Policy', 'Reliability Policy', 'Value',
}  # fmt: skip


def test_the_manager_has_what_rviz_reads():
    assert {'Displays', 'Global Options', 'Tools', 'Views'} <= CONFIG.keys()
    assert CONFIG['Global Options']['Fixed Frame']
    assert CONFIG['Displays']


def test_heatmaps_are_shown_on_an_absolute_scale():
    (heatmap,) = (d for d in CONFIG['Displays'] if d['Topic']['Value'].endswith('heatmap'))
    assert heatmap['Normalize Range'] is False
    assert (heatmap['Min Value'], heatmap['Max Value']) == (0, 1)


@pytest.mark.ros
@pytest.mark.usefixtures('ros')
def test_every_display_names_a_published_topic_with_compatible_qos(log):
    from rclpy.qos import DurabilityPolicy
    from rclpy.qos import ReliabilityPolicy

    from tests.ros_harness import grounding_node

    with grounding_node(log) as (_, probe):
        for display in CONFIG['Displays']:
            topic = display['Topic']
            assert topic.keys() == TOPIC_KEYS
            name = f'{probe.namespace}/{topic["Value"]}'
            probe.spin_until(
                lambda name=name: probe.node.get_publishers_info_by_topic(name),
                f'a publisher on {name}, which the display {display["Name"]} shows',
            )
            (publisher,) = probe.node.get_publishers_info_by_topic(name)
            assert publisher.topic_type == MESSAGES[display['Class']]
            # A reliable display hears nothing from a best-effort publisher, nor a transient-local
            # one from a volatile publisher.
            if topic['Reliability Policy'] == 'Reliable':
                assert publisher.qos_profile.reliability == ReliabilityPolicy.RELIABLE
            if topic['Durability Policy'] == 'Transient Local':
                assert publisher.qos_profile.durability == DurabilityPolicy.TRANSIENT_LOCAL
