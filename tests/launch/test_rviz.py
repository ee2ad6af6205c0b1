# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""RViz and Foxglove are in no package index, so their configurations are held against the node."""

import json

import pytest
import yaml

from affordance_ros.bag.messages import DEFINITIONS
from affordance_ros.bag.messages import TARGETS
from tests.conftest import ROOT

CONFIG = yaml.safe_load((ROOT / 'rviz' / 'grounding.rviz').read_text())['Visualization Manager']
FOXGLOVE = json.loads((ROOT / 'config' / 'foxglove_layout.json').read_text())
PANELS = FOXGLOVE['configById']
MESSAGES = {
    'rviz_default_plugins/Image': 'sensor_msgs/msg/Image',
    'rviz_default_plugins/MarkerArray': 'visualization_msgs/msg/MarkerArray',
    'rviz_default_plugins/PointCloud2': 'sensor_msgs/msg/PointCloud2',
    'rviz_default_plugins/Pose': 'geometry_msgs/msg/PoseStamped',
}
TOPIC_KEYS = {
    'Depth', 'Durability Policy', 'History Policy', 'Reliability Policy', 'Value',
}  # fmt: skip
# Displays that wait for transforms have a queue of their own.
FILTERED = {'rviz_default_plugins/PointCloud2', 'rviz_default_plugins/Pose'}


def displays():
    return {display['Topic']['Value']: display for display in CONFIG['Displays']}


def foxglove_topics():
    """Return the topics that the layout's panels read."""
    images = {p['imageMode']['imageTopic'] for k, p in PANELS.items() if k.startswith('Image!')}
    plots = {
        path['value'].split('.')[0]
        for key, panel in PANELS.items() if key.startswith('Plot!')
        for path in panel['paths']
    }  # fmt: skip
    raw = {p['topicPath'] for k, p in PANELS.items() if k.startswith('RawMessages!')}
    return images | plots | raw | PANELS['3D!scene']['topics'].keys()


def panels_of(node):
    """Return the panels that a layout's tree holds."""
    if isinstance(node, str):
        return [node]
    assert node['direction'] in ('row', 'column')
    assert 0 < node['splitPercentage'] < 100
    return panels_of(node['first']) + panels_of(node['second'])


def test_the_manager_has_what_rviz_reads():
    assert {'Displays', 'Global Options', 'Tools', 'Views'} <= CONFIG.keys()
    assert CONFIG['Global Options']['Fixed Frame']
    assert CONFIG['Displays']


def test_every_display_has_the_topic_settings_of_its_class():
    for topic, display in displays().items():
        expected = TOPIC_KEYS | ({'Filter size'} if display['Class'] in FILTERED else set())
        assert display['Topic'].keys() == expected, topic
        assert display['Class'] in MESSAGES


def test_heat_is_shown_on_an_absolute_scale():
    heatmap, cloud = displays()['grounding/heatmap'], displays()['grounding/cloud']
    assert heatmap['Normalize Range'] is False
    assert (heatmap['Min Value'], heatmap['Max Value']) == (0, 1)
    assert cloud['Autocompute Intensity Bounds'] is False
    assert (cloud['Min Intensity'], cloud['Max Intensity']) == (0, 1)
    for panel in (
        PANELS['Image!heatmap']['imageMode'], PANELS['3D!scene']['topics']['/grounding/cloud'],
    ):  # fmt: skip
        assert (panel['minValue'], panel['maxValue']) == (0, 1)
        assert (panel['colorMode'], panel['colorMap']) == ('colormap', 'turbo')


def test_foxglove_shows_each_of_its_panels_once():
    assert sorted(panels_of(FOXGLOVE['layout'])) == sorted(PANELS)
    for topic in PANELS['3D!scene']['topics'].values():
        assert topic['visible'] is True  # or Foxglove does not subscribe


def test_both_viewers_colour_the_clouds_heat():
    assert displays()['grounding/cloud']['Channel Name'] == 'heat'
    assert PANELS['3D!scene']['topics']['/grounding/cloud']['colorField'] == 'heat'


def test_foxglove_plots_and_sends_fields_that_exist():
    (path,) = PANELS['Plot!score']['paths']
    assert path['value'] == '/grounding/targets.targets[0].score'
    assert path['enabled'] is True  # or nothing is drawn
    assert 'affordance_ros/AffordanceTarget[] targets' in DEFINITIONS[TARGETS]
    assert 'float32 score' in DEFINITIONS['affordance_ros/msg/AffordanceTarget']
    command = PANELS['Publish!command']
    assert (command['topicName'], command['datatype']) == ('/task_command', 'std_msgs/msg/String')
    assert json.loads(command['value']).keys() == {'data'}


@pytest.mark.ros
@pytest.mark.usefixtures('ros')
def test_every_display_names_a_published_topic_with_compatible_qos(log):
    from rclpy.qos import DurabilityPolicy
    from rclpy.qos import ReliabilityPolicy

    from tests.support.ros_harness import grounding_node

    with grounding_node(log) as (_, probe):

        def publishers(topic):
            return probe.node.get_publishers_info_by_topic(f'{probe.namespace}/{topic}')

        shown = displays()
        for topic in shown:
            probe.spin_until(lambda t=topic: publishers(t), f'a publisher on {topic}')
            (publisher,) = publishers(topic)
            display = shown[topic]
            assert publisher.topic_type == MESSAGES[display['Class']]
            # A reliable display hears nothing from a best-effort publisher, nor a transient-local
            # one from a volatile publisher.
            if display['Topic']['Reliability Policy'] == 'Reliable':
                assert publisher.qos_profile.reliability == ReliabilityPolicy.RELIABLE
            if display['Topic']['Durability Policy'] == 'Transient Local':
                assert publisher.qos_profile.durability == DurabilityPolicy.TRANSIENT_LOCAL
        foxglove = {topic.removeprefix('/') for topic in foxglove_topics()}
        for topic in foxglove:
            probe.spin_until(lambda t=topic: publishers(t), f'a publisher on {topic}')
        (listener,) = probe.node.get_subscriptions_info_by_topic(
            f'{probe.namespace}{PANELS["Publish!command"]["topicName"]}'
        )
        assert listener.topic_type == PANELS['Publish!command']['datatype']
