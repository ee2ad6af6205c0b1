# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Several cameras and one model: nodes that share it, each with its fair share."""

import threading
import time

import cv2
import numpy as np
import pytest

pytestmark = [pytest.mark.ros, pytest.mark.usefixtures('ros')]

CAMERAS, RATE_HZ, ANSWERS = 4, 10.0, 60


def test_four_cameras_get_their_fair_share_of_one_model(photos):
    """At 10 Hz each, more than the model can do; on one of them commands differ."""
    from rclpy.executors import SingleThreadedExecutor
    from rclpy.parameter import Parameter

    from affordance_ros.nodes.grounding.node import GroundingNode
    from affordance_ros.nodes.grounding.sharing import SharedModels
    from tests.support.ros_harness import MODEL
    from tests.support.ros_harness import Probe

    image = cv2.resize(next(iter(photos.values())), (320, 240))
    values = {**MODEL, 'input_size': 640}
    parameters = [Parameter(name, value=value) for name, value in values.items()]
    models, executor = SharedModels(), SingleThreadedExecutor()
    probes, nodes = [], []
    for number in range(CAMERAS):
        probes.append(Probe())
        command = Parameter('task_command', value='hold' if number else 'cut')
        node = GroundingNode(
            namespace=probes[-1].namespace,
            models=models,
            parameter_overrides=[*parameters, command],
        )
        executor.add_node(node)
        node.bring_up()
        nodes.append(node)
    assert models.loaded == 1, 'a model was loaded twice'
    thread = threading.Thread(target=executor.spin, daemon=True)
    thread.start()
    hearing = SingleThreadedExecutor()
    for probe in probes:
        probe.wait_until_ready()
        probe.answer_to(image)
        hearing.add_node(probe.node)
    begin = [len(probe.targets) for probe in probes]
    due = time.monotonic()

    def answered():
        return [len(p.targets) - first for p, first in zip(probes, begin, strict=True)]

    while sum(answered()) < ANSWERS:
        assert time.monotonic() - due < 60, answered()
        if time.monotonic() >= due:
            due = time.monotonic() + 1 / RATE_HZ
            for probe in probes:
                probe.send(image)
        hearing.spin_once(timeout_sec=0.01)
    shares = np.array(answered()) / sum(answered())
    assert np.abs(shares * CAMERAS - 1).max() <= 0.2, shares
    assert {a.command for a in probes[0].targets} == {'cut'}
    assert {a.command for p in probes[1:] for a in p.targets} == {'hold'}
    hearing.shutdown()

    # Each is a node of its own: one of them goes, the others and their model stay.
    assert probes[0].transition('deactivate') and probes[0].transition('cleanup')
    assert probes[1].answer_to(image).targets
    assert models.loaded == 1
    for probe in probes[1:]:
        assert probe.transition('deactivate') and probe.transition('cleanup')
    assert models.loaded == 0, 'the last one that used the model has not freed it'
    executor.shutdown()
    thread.join()
    for node in (*nodes, *probes):
        (node.destroy_node if node in nodes else node.close)()


def test_the_example_runs_a_node_for_each_camera(log, photos):
    from tests.conftest import ROOT
    from tests.support.ros_harness import MODEL
    from tests.support.ros_harness import NodeProcess
    from tests.support.ros_harness import Probe
    from tests.support.ros_harness import ros_arguments

    photo = next(iter(photos.values()))
    probes = [Probe(), Probe()]
    names = [probe.namespace.lstrip('/') for probe in probes]
    arguments = ros_arguments({**MODEL, 'task_command': 'cut'})
    process = NodeProcess([ROOT / 'examples' / 'several_cameras.py', *names, *arguments], log)
    for probe in probes:
        probe.wait_until_ready(process)
        assert probe.answer_to(photo).targets
    assert process.stop() == 0, process.output
    assert 'Traceback' not in process.output
    for probe in probes:
        probe.close()
