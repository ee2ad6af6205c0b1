# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The policy for `ros2 security`: of the right form, and just what the running node uses."""

import xml.etree.ElementTree as ElementTree

import pytest

from tests.conftest import ROOT

POLICY = ROOT / 'config' / 'sros2' / 'grounding.policy.xml'
# The format, version 0.2.0 (design.ros2.org/articles/ros2_access_control_policies.html and
# sros2/policy/schemas/policy.xsd): each element's attributes and children.
FORM = {
    'policy': ({'version'}, {'enclaves'}),
    'enclaves': (set(), {'enclave'}),
    'enclave': ({'path'}, {'profiles'}),
    'profiles': (set(), {'profile'}),
    'profile': ({'ns', 'node'}, {'topics', 'services', 'actions'}),
    'topics': ({'publish', 'subscribe'}, {'topic'}),
    'services': ({'reply', 'request'}, {'service'}),
    'topic': (set(), set()),
    'service': (set(), set()),
}


def allowed(kind, action, namespace):
    """Return the full names that the policy allows, resolved as sros2 does."""
    (profile,) = ElementTree.parse(POLICY).iter('profile')
    node = f'{namespace}/{profile.get("node")}'
    names = []
    for group in profile.findall(kind):
        if group.get(action) == 'ALLOW':
            for entry in group:
                text = entry.text
                if text.startswith('~'):
                    text = node + text[1:]
                elif not text.startswith('/'):
                    text = f'{namespace}/{text}'
                names.append(text)
    assert len(names) == len(set(names)), 'a name is there twice'
    return set(names)


def test_the_policy_has_the_form_that_sros2_reads():
    def check(element):
        attributes, children = FORM[element.tag]
        assert set(element.attrib) <= attributes, element.tag
        for child in element:
            assert child.tag in children, f'{child.tag} in {element.tag}'
            check(child)
        if not children:
            assert element.text.strip() == element.text
        elif element.tag in ('topics', 'services'):
            assert set(element.attrib.values()) == {'ALLOW'} and len(element)
        else:
            assert set(element.attrib) == attributes and len(element)

    policy = ElementTree.parse(POLICY).getroot()
    check(policy)
    assert policy.get('version') == '0.2.0'


@pytest.mark.ros
@pytest.mark.usefixtures('ros')
@pytest.mark.parametrize(
    ('transport', 'other'), [('raw', 'image/compressed'), ('compressed', 'image')]
)
def test_the_policy_allows_just_what_the_node_uses(log, transport, other):
    from tests.support.ros_harness import grounding_node

    options = {'image_transport': transport, 'use_sim_time': True, 'target_frame': 'base'}
    with grounding_node(log, **options) as (_, probe):
        namespace, graph = probe.namespace, probe.node

        def used(kind):
            names_and_types = getattr(graph, f'get_{kind}_names_and_types_by_node')
            return {name for name, _ in names_and_types('grounding', namespace)}

        expected = {
            'publisher': allowed('topics', 'publish', namespace),
            'subscriber': allowed('topics', 'subscribe', namespace) - {f'{namespace}/{other}'},
            'service': allowed('services', 'reply', namespace),
            'client': allowed('services', 'request', namespace),
        }
        probe.spin_until(
            lambda: {kind: used(kind) for kind in expected} == expected,
            f'{expected}',
            timeout_s=20,
        )
