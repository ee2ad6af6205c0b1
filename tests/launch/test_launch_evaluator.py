# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The evaluator refuses what launch_ros refuses: its rules of types, case by case."""

import pytest

from tests.support.launch_api import LaunchConfiguration
from tests.support.launch_api import LaunchContext
from tests.support.launch_api import ParameterValue
from tests.support.launch_evaluator import evaluate


@pytest.fixture
def context():
    context = LaunchContext({}, {})
    context.launch_configurations.update(yes='true', number='5', word='off')
    return context


@pytest.mark.parametrize(
    ('value', 'value_type'),
    [('true', bool), ('False', bool), ('5', int), ('0.5', float), (5, float), (1, bool), (5, str),
     (None, str), (object(), None), (['a', 'b'], str)],
)  # fmt: skip
def test_a_value_of_another_type_is_refused(value, value_type):
    """launch_ros: "value='false' is not an instance of <class 'bool'>"."""
    with pytest.raises(TypeError, match=r'is not an instance of|neither a scalar'):
        ParameterValue(value, value_type=value_type)


@pytest.mark.parametrize(
    ('name', 'value_type', 'expected'),
    [('yes', bool, True), ('number', int, 5), ('number', float, 5.0), ('number', str, '5'),
     ('word', str, 'off'), ('word', None, False)],
)  # fmt: skip
def test_a_substitution_is_converted(context, name, value_type, expected):
    value = ParameterValue(LaunchConfiguration(name), value_type=value_type).evaluate(context)
    assert value == expected
    assert type(value) is type(expected)


def test_a_substitution_that_gives_no_boolean_is_refused(context):
    value = ParameterValue(LaunchConfiguration('number'), value_type=bool)
    with pytest.raises(ValueError, match='Cannot convert'):
        value.evaluate(context)


def test_an_unknown_type_is_refused():
    with pytest.raises(ValueError, match='Unrecognized data type'):
        ParameterValue('a', value_type=bytes)


NODE = """
from launch import LaunchDescription
from launch_ros.actions import Node


def generate_launch_description():
    return LaunchDescription(
        [Node(package='p', executable='e', parameters=[{{'value': {value}}}])]
    )
"""


@pytest.mark.parametrize(
    ('value', 'argument'),
    [("'true'", "value:='true'"), ('True', 'value:=true'), ('2', 'value:=2')],
)
def test_a_plain_value_keeps_its_type(tmp_path, value, argument):
    file = tmp_path / 'a.launch.py'
    file.write_text(NODE.format(value=value))
    (node,) = evaluate(file, {}, share={}, environment={}).nodes
    assert node.ros_arguments[-1] == argument


def test_a_parameter_of_no_type_is_refused(tmp_path):
    file = tmp_path / 'a.launch.py'
    file.write_text(NODE.format(value='None'))
    with pytest.raises(TypeError, match='Unexpected type'):
        evaluate(file, {}, share={}, environment={})
