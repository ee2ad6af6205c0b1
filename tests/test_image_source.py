import cv2
import numpy as np
import pytest

from affordance_ros.image_source import SourceError
from affordance_ros.image_source import open_source
from affordance_ros.image_source import read_image


@pytest.fixture
def folder(tmp_path):
    for index, name in enumerate(['b.png', 'a.PNG', 'c.bmp']):
        image = np.full((8, 10 + index, 3), 40 * index, np.uint8)
        (tmp_path / name).write_bytes(cv2.imencode('.png', image)[1].tobytes())
    (tmp_path / 'notes.txt').write_text('no photo')
    return tmp_path


def test_a_folder_plays_by_name_and_ends(folder):
    assert [f.shape[1] for f in open_source(str(folder), loop=False)] == [11, 10, 12]


def test_a_looping_folder_starts_again(folder):
    frames = open_source(str(folder), loop=True)
    assert [next(frames).shape[1] for _ in range(5)] == [11, 10, 12, 11, 10]


def test_a_video_plays_and_loops(tmp_path):
    path = tmp_path / 'video.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 10, (64, 48))
    for value in (0, 80, 160):
        writer.write(np.full((48, 64, 3), value, np.uint8))
    writer.release()
    assert len(list(open_source(str(path), loop=False))) == 3
    frames = open_source(str(path), loop=True)
    means = [next(frames).mean() for _ in range(6)]
    assert means[:3] == pytest.approx([0, 80, 160], abs=6)
    assert means[3:] == pytest.approx(means[:3], abs=1)


@pytest.mark.parametrize('source', ['nowhere', 'nowhere/film.mp4', ''])
def test_a_missing_source_is_named(source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceError, match='holds no photos' if source == '' else 'nowhere'):
        open_source(source, loop=True)


def test_what_opencv_can_not_open_is_named(tmp_path):
    path = tmp_path / 'film.mp4'
    path.write_bytes(b'no film')
    with pytest.raises(SourceError, match=r'can not open the video or webcam .*film\.mp4'):
        open_source(str(path), loop=True)
    with pytest.raises(SourceError, match="webcam '63'"):
        open_source('63', loop=True)


def test_a_broken_or_empty_photo_is_named(tmp_path):
    for name, data in (('broken.jpg', b'\xff\xd8'), ('empty.jpg', b'')):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(SourceError, match=name):
            read_image(tmp_path / name)
