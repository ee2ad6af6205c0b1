# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Bags as drivers record them: right points, or none and the cause; never a traceback."""

import cv2
import numpy as np
import pytest

from affordance_ros.backends.base import BackendConfig
from affordance_ros.bag.frames import read_bag
from affordance_ros.bag.run import BagJob
from affordance_ros.bag.run import run_bag
from affordance_ros.bag.schedule import Schedule
from affordance_ros.bag.topics import DepthTopics
from affordance_ros.image.source_frame import SourceError
from affordance_ros.model.config import ModelConfig
from affordance_ros.predictor import Predictor
from affordance_ros.predictor import PredictorConfig
from affordance_ros.spatial.depth import DepthImage
from affordance_ros.spatial.plausible import RgbdChecks
from affordance_ros.spatial.rgbd import NoRgbd
from affordance_ros.spatial.rgbd import read_rgbd
from tests.support import hostile_bags as made
from tests.support.bag_fixture import read_all
from tests.support.mosaics import mosaic

SIZE = (made.HEIGHT, made.WIDTH)


@pytest.fixture(scope='module')
def predictor():
    config = ModelConfig('compact', 'random', device='cpu')
    return Predictor.load(config, PredictorConfig(input_size=96), BackendConfig('torch'))


@pytest.fixture
def points(tmp_path, predictor):
    """Run the bag tool; return u, v, x, y, z of targets with points, and how many have none."""

    def run(streams, *, depth=None, checks=None, **how):
        bag = made.record(tmp_path / 'in', streams, **how)
        job = BagJob(
            bag,
            tmp_path / 'out',
            Schedule(['cut']),
            depth=depth or DepthTopics(),
            checks=checks or RgbdChecks(),
        )
        assert run_bag(job, predictor).answered == made.FRAMES
        answers = read_all(tmp_path / 'out')['/grounding/targets']
        targets = [t for _, _, message in answers for t in message.targets]
        found = [(t.x, t.y, t.point.x, t.point.y, t.point.z) for t in targets if t.has_point]
        return np.array(found).reshape(-1, 5).T, len(targets) - len(found)

    return run


def swapped(pixels):
    return pixels.astype(pixels.dtype.newbyteorder('>'))


SLANT = np.rint(np.linspace(600, 1199, made.WIDTH) + np.zeros(SIZE)).astype(np.uint16)
RIGHT = {
    'aligned RealSense with infrared': made.realsense(),
    'a slash before frame_id': made.rgbd(image=made.colour_stream('/' + made.COLOUR_FRAME)),
    'compressed depth alone': {
        f'{made.COLOUR}/camera_info': made.info_stream(),
        f'{made.ALIGNED}/compressedDepth': (
            made.JPEG,
            lambda n, ns: made.compressed(
                made.header(ns),
                '16UC1; compressedDepth png',
                made.depth_png(made.millimetres()),
            ),
        ),
        f'{made.COLOUR}/image_raw/compressed': (
            made.JPEG,
            lambda n, ns: made.compressed(
                made.header(ns), 'rgb8; jpeg compressed bgr8', made.jpeg(made.photo(n))
            ),
        ),
    },
    'depth without "depth" in its name': {
        '/oak/rgb/camera_info': made.info_stream(),
        '/oak/stereo/image_raw': made.depth_stream(),
        '/oak/rgb/image_raw': made.colour_stream(),
    },
    'a depth camera whose image is colour': {
        '/depth_camera/camera_info': made.info_stream(),
        '/depth_camera/depth/image_raw': made.depth_stream(
            np.full(SIZE, 1.0, np.float32), '32FC1'
        ),
        '/depth_camera/image_raw': made.colour_stream(),
    },
    'true big-endian depth': made.rgbd(
        depth=made.depth_stream(swapped(made.millimetres()), big_endian=True)
    ),
    'a region of the sensor': made.rgbd(
        info=made.info_stream(size=(240, 320), roi=(80, 60, 120, 160))
    ),
    'a binned sensor': made.rgbd(
        info=made.info_stream(focal=2 * made.FOCAL, size=(240, 320), binning_x=2, binning_y=2)
    ),
    'P of another focal length than K': made.rgbd(
        info=made.info_stream(k=np.array([99.0, 0, 79.5, 0, 99.0, 59.5, 0, 0, 1]))
    ),
}  # fmt: skip


@pytest.mark.parametrize('kind', RIGHT)
def test_points_are_right(points, kind):
    (u, v, x, y, z), without = points(RIGHT[kind])
    assert len(z) >= made.FRAMES
    assert without == 0
    np.testing.assert_allclose(z, 1.0, atol=1e-5)
    np.testing.assert_allclose(x, (u - (made.WIDTH - 1) / 2) / made.FOCAL, atol=1e-5)
    np.testing.assert_allclose(y, (v - (made.HEIGHT - 1) / 2) / made.FOCAL, atol=1e-5)


NONE = {
    'depth of its own frame': (made.realsense(aligned=False), 'is not of the frame of'),
    'that depth, chosen': (
        made.rgbd(depth=made.depth_stream(frame=made.DEPTH_FRAME)),
        "depth is in frame 'camera_depth_optical_frame'",
        {'depth': DepthTopics(made.ALIGNED)},
    ),
    'camera_info of another frame, chosen': (
        made.rgbd(info=made.info_stream(frame=made.DEPTH_FRAME)),
        "camera_info is of frame 'camera_depth_optical_frame'",
        {'depth': DepthTopics('', f'{made.COLOUR}/camera_info')},
    ),
    'saturated depth': (
        made.rgbd(depth=made.depth_stream(made.millimetres(65535))),
        '',
        {'checks': RgbdChecks(0.0)},
    ),
    'metres that are millimetres': (
        made.rgbd(depth=made.depth_stream(np.full(SIZE, 1000, np.float32), '32FC1')),
        'the median depth is 1000 m',
    ),
    'a wrong byte order of a plane': (
        made.rgbd(depth=made.depth_stream(big_endian=True)), 'the median depth is 59.4 m'
    ),
    'a wrong byte order of a slant': (
        made.rgbd(depth=made.depth_stream(SLANT, big_endian=True)),
        'only in the other byte order',
    ),
    'intrinsics of another size': (
        made.rgbd(info=made.info_stream(focal=600.0, centre=(320.0, 240.0))),
        'K and P are of another image size',
    ),
    'camera_info of another size': (
        made.rgbd(info=made.info_stream(size=(240, 320))), 'camera_info is for 320x240 pixels'
    ),
    'a lens that distorts, without P': (
        made.rgbd(info=made.info_stream(d=np.array([-0.35, 0.12, 0, 0, 0]), p=np.zeros(12))),
        'its lens distorts',
    ),
}  # fmt: skip


@pytest.mark.parametrize('kind', NONE)
def test_what_would_give_wrong_points_gives_none_and_the_cause(points, kind, caplog):
    streams, text, *choice = NONE[kind]
    found, without = points(streams, **(choice[0] if choice else {}))
    assert found.size == 0
    assert without >= made.FRAMES
    assert text in caplog.text


def test_a_known_pair_of_frames_can_be_allowed(points):
    streams = made.rgbd(depth=made.depth_stream(frame=made.DEPTH_FRAME))
    (_, _, _, _, z), without = points(streams, checks=RgbdChecks(allow_other_frames=True))
    assert len(z) and without == 0
    np.testing.assert_allclose(z, 1.0, atol=1e-5)


def test_without_stamps_depth_of_the_same_time_is_taken(points, caplog):
    """Depth that changes from frame to frame: that of 0.1 s later is another."""
    streams = made.rgbd(
        depth=(made.IMAGE, lambda n, ns: made.image(
            made.header(ns), made.millimetres(1000 + 100 * n), '16UC1'))
    )  # fmt: skip
    (_, _, _, _, z), without = points(streams, stamps=False)
    assert without == 0
    expected = 1 + 0.1 * np.arange(made.FRAMES)
    assert sorted(set(np.round(z, 3))) == pytest.approx(expected)
    assert (np.diff(z) > -1e-6).all()  # frame by frame
    assert 'stamps are 0: depth is matched by the times of recording' in caplog.text


def cut(data):
    return data[: len(data) // 2]


def holed(data):
    return data[: len(data) // 2] + bytes(300) + data[len(data) // 2 + 300 :]


def jpegs(damage):
    """Return a stream of JPEGs whose third one is damaged."""
    return (
        made.JPEG,
        lambda n, ns: made.compressed(
            made.header(ns), 'jpeg', (damage if n == 2 else bytes)(made.jpeg(made.photo(n)))
        ),
    )


def empty_image(n, ns):
    pixels = np.zeros((0, 0, 3), np.uint8) if n == 2 else made.photo(n)
    return (
        made.image(made.header(ns), pixels, 'bgr8')
        if n != 2
        else made.TYPES[made.IMAGE](made.header(ns), 0, 0, 'bgr8', 0, 0, np.zeros(0, np.uint8))
    )


BAD = {
    'a cut JPEG': jpegs(cut),
    'an empty JPEG': jpegs(lambda data: b''),
    'an empty image': (made.IMAGE, empty_image),
}


@pytest.mark.parametrize('kind', BAD)
def test_a_bad_frame_is_left_out_and_counted(tmp_path, kind, predictor):
    compressed = BAD[kind][0] == made.JPEG
    topic = f'{made.COLOUR}/image_raw{"/compressed" if compressed else ""}'
    streams = {topic: BAD[kind]}
    bag = made.record(tmp_path / 'in', streams)
    report = run_bag(BagJob(bag, tmp_path / 'out', Schedule(['cut'])), predictor)
    assert report.answered == made.FRAMES - 1
    assert report.unusable.total() == 1
    left_out = []
    frames = list(read_bag(bag, on_skip=left_out.append))
    assert len(frames) == made.FRAMES - 1
    assert len(left_out) == 1


def test_every_reader_of_bags_has_the_same_frames(tmp_path):
    """What the camera node plays has the depth and camera_info that the bag tool used."""
    bag = made.record(tmp_path / 'in', made.realsense())
    frames = list(read_bag(bag))
    assert len(frames) == made.FRAMES
    for number, frame in enumerate(frames):
        assert np.array_equal(frame.bgr, made.photo(number))
        assert frame.frame_id == made.COLOUR_FRAME
        assert frame.camera_info.header.frame_id == made.COLOUR_FRAME
        assert (DepthImage.view(frame.depth).metres() == 1.0).all()
        scene = read_rgbd(frame.depth, frame.camera_info, size=SIZE, frame_id=frame.frame_id)
        assert not isinstance(scene, NoRgbd)
        assert scene.pinhole.fx == made.FOCAL
    chosen = list(read_bag(bag, '/camera/infra1/image_rect_raw', DepthTopics()))
    assert len(chosen) == made.FRAMES
    assert chosen[0].camera_info.header.frame_id == 'camera_infra1_optical_frame'
    assert chosen[0].depth is None
    with pytest.raises(SourceError, match='has 2 topics of images'):
        two = made.rgbd() | {'/other/image_raw': made.colour_stream()}
        list(read_bag(made.record(tmp_path / 'two', two)))


@pytest.mark.parametrize('pattern', ['rggb', 'gbrg'])
@pytest.mark.parametrize('transport', ['raw', 'jpeg'])
def test_a_mosaic_is_played_in_colour(tmp_path, pattern, transport):
    def raw(n, ns):
        cells = mosaic(cv2.GaussianBlur(made.photo(n), (0, 0), 3), pattern)
        if transport == 'raw':
            return made.image(made.header(ns), cells, f'bayer_{pattern}8')
        form = f'bayer_{pattern}8; jpeg compressed '
        return made.compressed(made.header(ns), form, made.jpeg(cells))

    kind = made.IMAGE if transport == 'raw' else made.JPEG
    bag = made.record(tmp_path / 'in', {'/camera/image_raw': (kind, raw)})
    for number, frame in enumerate(read_bag(bag)):
        expected = cv2.GaussianBlur(made.photo(number), (0, 0), 3)
        error = np.abs(frame.bgr.astype(int) - expected)[2:-2, 2:-2]
        assert error.mean() < 6
        assert frame.bgr[60, 45].argmax() == 2  # the red disc
        assert frame.bgr[70, 112].argmax() == 0  # the blue box
