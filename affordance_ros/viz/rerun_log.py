# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""A recording for the rerun viewer: images, heatmaps and targets over time, and in 3D."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affordance_ros.spatial.lift import NoPoint
from affordance_ros.spatial.lift import SurfacePoint
from affordance_ros.spatial.rgbd import NoRgbd
from affordance_ros.spatial.rgbd import Rgbd
from affordance_ros.targets.mask import draw_mask
from affordance_ros.targets.target import Target
from affordance_ros.viz.rerun_rgbd import begin_scene
from affordance_ros.viz.rerun_rgbd import log_rgbd

_JPEG_QUALITY = 90
_TARGET_RADIUS_PX = 5.0


class RecordingError(RuntimeError):
    """A recording can't be written."""


class Recording:
    """Logs one answer after another; made by `record`.

    Args:
        rerun: The module of that name.
        stream: rerun's recording stream.
    """

    def __init__(self, rerun: Any, stream: Any) -> None:
        self._rerun = rerun
        self._stream = stream
        self._frames = 0
        self._text = ''
        begin_scene(rerun, stream)

    def log(
        self,
        image_bgr: NDArray[np.uint8],
        *,
        text: str,
        targets: Sequence[Target],
        overlay_bgr: NDArray[np.uint8],
        heatmap: NDArray[np.float32] | None = None,
        stamp_ns: int | None = None,
        rgbd: Rgbd | NoRgbd | None = None,
        points: Sequence[SurfacePoint | NoPoint] = (),
    ) -> None:
        """Log an answer to one image.

        Args:
            image_bgr: (H, W, 3) uint8.
            text: The command, and the image's name where it has one; shown when it changes.
            targets: Best first.
            overlay_bgr: (H, W, 3) uint8.
            heatmap: (H, W) float32 in [0, 1], kept as it is, so that the viewer shows its values.
            stamp_ns: The image's stamp in nanoseconds since 1970.
            rgbd: What the image shows in 3D; None where there is no depth camera.
            points: One for each target, in order, where there is one.
        """
        rerun, stream = self._rerun, self._stream
        stream.set_time('frame', sequence=self._frames)
        if stamp_ns is not None:
            stream.set_time('stamp', timestamp=np.datetime64(stamp_ns, 'ns'))
        self._frames += 1
        if text != self._text:
            stream.log('command', rerun.TextLog(text))
            self._text = text
        for name, pixels in (('image', image_bgr), ('overlay', overlay_bgr)):
            image = rerun.Image(pixels, color_model='BGR')
            stream.log(name, image.compress(jpeg_quality=_JPEG_QUALITY))
        # rerun's pixels begin at integers, ours have their centres there.
        places = np.array([(t.x + 0.5, t.y + 0.5) for t in targets], np.float32).reshape(-1, 2)
        marks = rerun.Points2D(
            places,
            radii=_TARGET_RADIUS_PX,
            colors=[255, 255, 255],
            labels=[t.label for t in targets],
        )
        stream.log('image/targets', marks)
        if any(target.region is not None for target in targets):
            mask = draw_mask(targets, (image_bgr.shape[0], image_bgr.shape[1]))
            stream.log('image/mask', rerun.SegmentationImage(mask, opacity=0.3))
        else:
            stream.log('image/mask', rerun.Clear(recursive=False))
        # An answer without a target draws the curve to 0, as the node publishes an empty list.
        stream.log('best_score', rerun.Scalars(targets[0].score if targets else 0.0))
        if heatmap is not None:
            # Of rerun's images only the depth image has a fixed range and a colour map.
            heat = rerun.DepthImage(heatmap, colormap='turbo', depth_range=(0.0, 1.0))
            stream.log('heatmap', heat)
        if rgbd is not None:
            log_rgbd(rerun, stream, rgbd, targets=targets, points=points)


@contextmanager
def record(path: Path | None) -> Iterator[Recording | None]:
    """Write a recording, which appears under its name once it is whole.

    Args:
        path: The file, ending in .rrd; None records nothing, and None is given then.

    Raises:
        RecordingError: If rerun is not installed, or the name can't be used.
    """
    if path is None:
        yield None
        return
    if path.suffix != '.rrd':
        raise RecordingError(
            f'the recording {path} must end in .rrd, as the rerun viewer reads it'
        )
    try:
        import rerun
        import rerun.blueprint as views
    except ImportError as error:
        raise RecordingError(
            f'recording to {path} needs rerun ({error}): pip install rerun-sdk==0.41.0 '
            f'(Python 3.11 or later)'
        ) from error
    layout = views.Blueprint(
        views.Vertical(
            views.Horizontal(
                views.Spatial2DView(origin='image', name='Image and targets'),
                views.Spatial2DView(origin='overlay', name='Overlay'),
                views.Tabs(
                    views.Spatial2DView(origin='heatmap', name='Heatmap, 0 to 1'),
                    views.Spatial3DView(origin='scene', name='Scene in 3D'),
                ),
            ),
            views.Horizontal(
                views.TimeSeriesView(
                    origin='best_score',
                    name='Best score',
                    axis_y=views.ScalarAxis(range=(0.0, 1.0)),
                ),
                views.TextLogView(origin='command', name='Command'),
            ),
            row_shares=[3, 1],
        ),
        collapse_panels=True,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f'.{path.name}.part')
    stream = rerun.RecordingStream('affordance_ros')
    try:
        stream.save(part, default_blueprint=layout)
        yield Recording(rerun, stream)
        stream.flush()
        stream.disconnect()
        part.replace(path)
    finally:
        stream.disconnect()
        part.unlink(missing_ok=True)
