# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What the node answers: the same as the predictor, for every kind of input."""

import subprocess
import sys

import cv2
import numpy as np
import pytest

from affordance_ros.predictor import PredictorConfig
from tests.conftest import ROOT
from tests.conftest import SAMPLES

pytestmark = [pytest.mark.ros, pytest.mark.usefixtures('ros')]


def to_array(message):
    return np.frombuffer(message.data, np.float32).reshape(message.height, message.width)


def predict_afresh(tmp_path, photos, commands):
    """Return what a fresh process predicts: heatmaps and targets by command and photo."""
    out = tmp_path / 'offline.npz'
    paths = [str(SAMPLES / 'photos' / name) for name in photos]
    subprocess.run(
        [sys.executable, '-m', 'tests.support.offline_predictor', out, *paths, '--', *commands],
        check=True,
        cwd=ROOT,
    )
    return np.load(out)


def test_node_equals_predict_for_every_sample_photo(log, tmp_path, photos):
    """Raw transport: heatmaps to 1e-6, targets exactly, headers copied."""
    from tests.support.ros_harness import grounding_node

    assert len(photos) >= 6
    offline = predict_afresh(tmp_path, photos, ['hold the mug', 'cut'])
    with grounding_node(log, heatmaps=True) as (_, probe):
        for command in ('hold the mug', 'cut'):
            number = probe.command(command)
            for name, photo in photos.items():
                heatmap = probe.heatmap_of(photo)
                answer = probe.targets[-1]
                expected = offline[f'{command}/{name}/heatmap']
                targets = offline[f'{command}/{name}/targets']
                assert (heatmap.encoding, heatmap.step) == ('32FC1', 4 * photo.shape[1])
                assert np.abs(to_array(heatmap) - expected).max() <= 1e-6, name
                assert (answer.command, answer.command_id) == (command, number)
                assert (answer.image_height, answer.image_width) == photo.shape[:2]
                # The message's fields are float32.
                heard = np.array([(t.x, t.y, t.score) for t in answer.targets], np.float32)
                assert np.array_equal(heard, targets.astype(np.float32))
                assert len(targets)
                assert not any(t.has_point for t in answer.targets)


def without_numbers(targets):
    """Return targets without track_id, which changes on a machine too slow for its gap."""
    for target in targets:
        target.track_id = 0
    return targets


def test_every_encoding_gives_the_same_answer(log, photos):
    from affordance_ros.nodes.messages import to_image
    from tests.support.ros_harness import grounding_node

    photo = next(iter(photos.values()))
    height, width = photo.shape[:2]
    with grounding_node(log, heat_smoothing_s=0.0) as (_, probe):

        def answer_to(image, encoding='bgr8'):
            return without_numbers(probe.answer_to(image, encoding).targets)

        probe.command('cut')
        expected = answer_to(photo)
        assert expected
        alpha = np.dstack([photo, np.full((height, width, 1), 7, np.uint8)])
        assert answer_to(photo[..., ::-1], 'rgb8') == expected
        assert answer_to(alpha, 'bgra8') == expected
        assert answer_to(alpha[..., [2, 1, 0, 3]], 'rgba8') == expected
        assert answer_to(photo.astype(np.uint16) * 257, 'bgr16') == expected
        grey = cv2.cvtColor(photo, cv2.COLOR_BGR2GRAY)
        mono = answer_to(grey, 'mono8')
        assert mono == answer_to(np.dstack([grey] * 3)) != expected
        padded = to_image(np.pad(photo, ((0, 0), (0, 5), (0, 0))), 'bgr8', header=probe.header())
        padded.width = width
        probe.images.publish(padded)
        probe.spin_until(lambda: probe.targets[-1].header == padded.header, 'the padded frame')
        assert without_numbers(probe.targets[-1].targets) == expected


def test_bayer_images_are_answered_like_their_photo(log, photos):
    """A mosaic of a photo gives nearly the photo's own heatmap."""
    from tests.support.ros_harness import grounding_node

    photo = cv2.GaussianBlur(next(iter(photos.values())), (9, 9), 3)
    mosaic = photo[..., 1].copy()  # rggb: red at even rows and columns, blue at odd ones
    mosaic[0::2, 0::2] = photo[0::2, 0::2, 2]
    mosaic[1::2, 1::2] = photo[1::2, 1::2, 0]
    with grounding_node(log, heatmaps=True) as (_, probe):
        probe.command('cut')
        plain = to_array(probe.heatmap_of(photo))
        bayer = to_array(probe.heatmap_of(mosaic, 'bayer_rggb8'))
        assert np.abs(plain - bayer).max() < 0.05 < np.ptp(plain)


def test_compressed_transport_equals_the_decoded_jpeg(log, predictor, photos):
    from affordance_ros.nodes.messages import to_jpeg
    from tests.support.ros_harness import grounding_node

    photo = next(iter(photos.values()))
    with grounding_node(log, heatmaps=True, image_transport='compressed') as (_, probe):
        probe.command('cut')
        message = to_jpeg(photo, header=probe.header())
        probe.jpegs.publish(message)
        probe.spin_until(
            lambda: probe.heatmaps, 'the heatmap', again=lambda: probe.jpegs.publish(message)
        )
        decoded = cv2.imdecode(np.frombuffer(message.data, np.uint8), cv2.IMREAD_COLOR)
        predictor.set_command('cut')
        expected = predictor.predict(decoded, channels='bgr').heatmap
        assert probe.heatmaps[-1].header == message.header
        assert np.abs(to_array(probe.heatmaps[-1]) - expected).max() <= 1e-6


def test_the_overlay_is_the_offline_one(log, tmp_path, photos):
    from affordance_ros.viz.overlay import draw_overlay
    from tests.support.drawn_targets import target_of
    from tests.support.ros_harness import grounding_node

    name, photo = next(iter(photos.items()))
    offline = predict_afresh(tmp_path, [name], ['hold the mug'])
    with grounding_node(log, overlays=True) as (_, probe):
        probe.command('hold_the_mug')
        header = probe.answer_to(photo).header
        probe.spin_until(
            lambda: probe.overlays,
            'the overlay',
            again=lambda: probe.send(photo, header=header),
        )
        key = f'hold the mug/{name}'
        mask = offline[f'{key}/mask']
        targets = tuple(
            target_of(x, y, mask == number, float(score), track_id=number)
            for number, (x, y, score) in enumerate(offline[f'{key}/targets'], start=1)
        )
        overlay = draw_overlay(
            photo, offline[f'{key}/heatmap'], targets=targets, caption='hold the mug'
        )
        assert (probe.overlays[-1].header, probe.overlays[-1].encoding) == (header, 'bgr8')
        assert bytes(probe.overlays[-1].data) == overlay.tobytes()


def test_an_empty_answer_is_published_where_nothing_is_found(log, photos):
    from tests.support.ros_harness import grounding_node

    with grounding_node(log, min_score=1.0) as (_, probe):
        probe.command('cut')
        assert list(probe.answer_to(next(iter(photos.values()))).targets) == []


def test_mask_detections_and_labels_say_what_the_targets_say(log, photos):
    from sensor_msgs.msg import Image
    from vision_msgs.msg import Detection2DArray
    from vision_msgs.msg import LabelInfo

    from affordance_ros.nodes.grounding.status import LATCHED
    from tests.support.ros_harness import grounding_node

    photo = next(iter(photos.values()))
    with grounding_node(log) as (_, probe):
        probe.command('cut')
        probe.answer_to(photo)
        masks, detections, labels = [], [], []
        subscribe = probe.node.create_subscription
        subscribe(LabelInfo, 'grounding/label_info', labels.append, LATCHED)
        probe.spin_until(lambda: labels, 'what was said before anyone listened')
        subscribe(Image, 'grounding/mask', masks.append, 10)
        subscribe(Detection2DArray, 'grounding/detections', detections.append, 10)

        def heard():
            probe.answer_to(photo)
            return masks and detections

        probe.spin_until(heard, 'a mask and detections')
        answer = next(t for t in probe.targets if t.header == masks[-1].header)
        size = masks[-1].height, masks[-1].width
        mask = np.frombuffer(masks[-1].data, np.uint8).reshape(size)
        assert masks[-1].encoding == 'mono8' and mask.shape == photo.shape[:2]
        assert len(answer.targets) > 0
        for label, target in enumerate(answer.targets, start=1):
            rows, columns = np.nonzero(mask == label)
            box = target.bbox
            assert (box.x_offset, box.y_offset) == (columns.min(), rows.min())
            assert (box.width, box.height) == (np.ptp(columns) + 1, np.ptp(rows) + 1)
            assert target.area_px == len(rows)
            assert mask[round(target.y), round(target.x)] == label
        assert mask.max() == len(answer.targets)
        found = next(d for d in detections if d.header in [t.header for t in probe.targets])
        answer = next(t for t in probe.targets if t.header == found.header)
        assert [d.id for d in found.detections] == [str(t.track_id) for t in answer.targets]
        for detection, target in zip(found.detections, answer.targets, strict=True):
            (result,) = detection.results
            assert result.hypothesis.class_id == 'cut'
            assert result.hypothesis.score == pytest.approx(target.score)
            assert detection.bbox.size_x == target.bbox.width
        said = {one.class_id: one.class_name for one in labels[-1].class_map}
        assert said == dict.fromkeys(range(1, 6), 'cut')
        assert labels[-1].threshold == pytest.approx(PredictorConfig().min_score)
        probe.command('open')
        probe.spin_until(
            lambda: labels[-1].class_map[0].class_name == 'open',
            'the labels of the new command',
            again=lambda: probe.send(photo),
        )


def test_a_gate_leaves_targets_out_and_counts_them(log, photos):
    from tests.support.ros_harness import grounding_node

    photo = next(iter(photos.values()))
    with grounding_node(log, min_prominence=0.2) as (_, probe):
        probe.command('cut')
        areas = sorted(t.area_px for t in probe.answer_to(photo).targets)
        assert areas[0] < areas[-1]
        assert probe.set_parameter('max_area_px', areas[-1] - 1) == (True, '')
        kept = probe.answer_to(photo).targets
        assert kept and all(t.area_px < areas[-1] for t in kept)
        key = 'targets refused by gates: too_large'
        probe.spin_until(lambda: int(probe.diagnosed('processing', key) or 0) > 0, 'the count')
        accepted, reason = probe.set_parameter('min_area_px', areas[-1])
        assert not accepted and 'no target has between min_area_px' in reason


def test_a_thing_keeps_its_number_while_the_same_command_is_sent_again(log, photos):
    from std_msgs.msg import String

    from tests.support.ros_harness import grounding_node

    photo = next(iter(photos.values()))
    with grounding_node(log) as (_, probe):
        probe.command('cut')
        first = [t.track_id for t in probe.answer_to(photo).targets]
        assert first and len(set(first)) == len(first) and min(first) > 0
        assert [t.track_id for t in probe.answer_to(photo).targets] == first
        probe.commands.publish(String(data='cut'))  # the same text changes nothing
        again = probe.answer_to(photo)
        assert (again.command_id, [t.track_id for t in again.targets]) == (1, first)
        assert probe.command('open') == 2
        other = probe.answer_to(photo)
        assert other.command == 'open'
        assert not {t.track_id for t in other.targets} & set(first)
