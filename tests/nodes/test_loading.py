# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The node while its model loads: it answers whoever calls, and ends when it is told to."""

import os
import signal
import time

import pytest

pytestmark = [pytest.mark.ros, pytest.mark.usefixtures('ros')]

# Where nothing else runs it takes under 2 s (benchmarks/stop.py); tests share two cores.
ENDS_WITHIN_S = 5.0


def start(log, probe, env=None, **parameters):
    from tests.support.ros_harness import NodeProcess
    from tests.support.ros_harness import executable
    from tests.support.ros_harness import ros_arguments

    arguments = ros_arguments(parameters, probe.namespace)
    return NodeProcess([executable('grounding'), *arguments], log, env)


@pytest.fixture
def probe():
    from tests.support.ros_harness import Probe

    probe = Probe()
    yield probe
    probe.close()


def hold_that_it_ends(process, number, before):
    """Stop a node and hold that it ends in time, with nothing left of it."""
    from tests.support.shared_memory import left_behind
    from tests.support.shared_memory import mapped_by

    names = mapped_by(process.process.pid)
    begin = time.monotonic()
    assert process.stop(number) == 0, process.output
    took_s = time.monotonic() - begin
    assert took_s < ENDS_WITHIN_S, f'{took_s:.1f} s:\n{process.output}'
    assert not left_behind(names, before)
    assert 'Traceback' not in process.output


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_node_that_loads_from_disk_ends_at_once(log, probe, number):
    from tests.support.shared_memory import present

    before = present()
    process = start(log, probe, model='household')
    # Read off a warm disk the model is there within a moment, so nothing else is waited for.
    probe.spin_until(lambda: 'loading household weights' in process.output, 'the load')
    hold_that_it_ends(process, number, before)


def test_callers_are_answered_while_a_download_stalls_and_the_node_ends(log, probe, tmp_path):
    from affordance_ros.msg import GroundingStatus
    from affordance_ros.srv import Ground
    from affordance_ros.srv import SetCommand
    from tests.support.shared_memory import present
    from tests.support.stalled_hub import stalled_hub

    with stalled_hub(tmp_path) as (stalled, env):
        before = present()
        process = start(log, probe, {**os.environ, **env}, model='RN50-quickgelu', autostart=False)
        assert probe.lifecycle_state() == 'unconfigured'
        assert probe.transition('configure'), 'it does not wait for the model'
        assert probe.lifecycle_state() == 'inactive'

        def hold_that_callers_are_answered():
            begin = time.monotonic()
            reason = 'not yet: loading RN50-quickgelu'
            assert probe.call(SetCommand, 'set_command', command='cut').reason == reason
            assert probe.call(Ground, 'ground', commands=['cut']).reason == reason
            assert probe.set_parameter('min_score', 0.5) == (False, reason)
            assert probe.set_parameter('device', 'cuda')[1].startswith('device: read when')
            assert not probe.transition('configure')
            assert probe.transition('activate')
            assert probe.lifecycle_state() == 'active'
            assert probe.transition('deactivate')
            return time.monotonic() - begin

        probe.spin_until(stalled.is_set, 'the download', timeout_s=90)
        took_s = hold_that_callers_are_answered()
        assert took_s < ENDS_WITHIN_S
        assert probe.status[-1].state == GroundingStatus.LOADING
        probe.spin_until(
            lambda: (
                'input' in probe.diagnostics
                and probe.diagnostics['input'].message == 'not active: loading'
            ),
            'the diagnostics',
        )
        probe.spin_until(lambda: 'of 409 MB in' in process.output, 'the progress')
        assert 'downloading 0.41 GB to' in process.output

        # The load is abandoned, and another model takes its place while it still stalls.
        assert probe.transition('cleanup')
        assert probe.lifecycle_state() == 'unconfigured'
        probe.spin_until(
            lambda: probe.status[-1].state == GroundingStatus.UNCONFIGURED, 'the end of the load'
        )
        assert probe.set_parameter('model', 'household') == (True, '')
        assert probe.transition('configure')
        assert probe.transition('activate')
        probe.spin_until(
            lambda: probe.status[-1].state == GroundingStatus.WAITING_FOR_COMMAND,
            'the other model',
        )
        assert 'household' in probe.status[-1].model
        hold_that_it_ends(process, signal.SIGINT, before)


def test_a_load_that_fails_leaves_an_active_node_unconfigured_with_the_reason(
    log, probe, tmp_path
):
    from affordance_ros.msg import GroundingStatus

    weights = tmp_path / 'broken.safetensors'
    weights.write_bytes(b'no weights')
    # An interpreter of its own has torch to import first, and is active before the load fails.
    env = dict(os.environ)
    process = start(log, probe, env, model='compact', weights=str(weights), autostart=False)
    assert probe.transition('configure')
    assert probe.transition('activate')
    probe.spin_until(lambda: probe.status[-1].state == GroundingStatus.UNCONFIGURED, 'the failure')
    assert 'broken.safetensors' in probe.status[-1].reason
    assert probe.lifecycle_state() == 'unconfigured'
    assert process.output.count('broken.safetensors') == 1, 'said more than once'
    assert process.stop() == 0, process.output


def test_a_load_that_fails_ends_a_node_that_brings_itself_up(log, probe, tmp_path):
    weights = tmp_path / 'broken.safetensors'
    weights.write_bytes(b'no weights')
    process = start(log, probe, model='compact', weights=str(weights))
    assert process.process.wait(60) == 1
    assert process.output.count('broken.safetensors') == 1, 'said more than once'
    assert 'Traceback' not in process.output
