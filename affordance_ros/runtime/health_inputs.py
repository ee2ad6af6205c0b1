# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What is known of the node's inputs at one moment, from which their health is judged."""

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field

from affordance_ros.runtime.frame_gaps import FrameLoss
from affordance_ros.runtime.mailbox import Counters
from affordance_ros.runtime.mailbox import RequestCounters


@dataclass(frozen=True)
class Publisher:
    """One publisher on the image topic.

    Attributes:
        node: Its node's full name.
        message_type: Such as 'sensor_msgs/msg/Image'.
        qos_conflict: Which policy keeps it from being heard, and why; '' if none does.
    """

    node: str
    message_type: str
    qos_conflict: str = ''


@dataclass(frozen=True)
class SpatialFacts:
    """What is known of depth and camera_info since the node was configured.

    Attributes:
        depth_topic: Where depth is awaited.
        camera_info_topic: Where camera_info is awaited.
        wanted: Whether somebody wants points: depth is remapped, a target frame set, or outputs in
            3D are listened to.
        tolerance_s: How far depth's stamp may be from the image's.
        depth_received: Depth images that came.
        camera_info_received: CameraInfo messages that came.
        matched: Images that found their depth.
        nearest_s: How far the nearest depth was from the newest image that found none; None where
            there was nothing at all.
        without_points: Images whose targets all went out without a point, by the cause.
    """

    depth_topic: str = 'depth'
    camera_info_topic: str = 'camera_info'
    wanted: bool = False
    tolerance_s: float = 0.0
    depth_received: int = 0
    camera_info_received: int = 0
    matched: int = 0
    nearest_s: float | None = None
    without_points: Mapping[str, int] = field(default_factory=dict)

    @property
    def no_depth(self) -> str:
        """What to say where depth is wanted and none comes."""
        return (
            f'targets have no 3D point: no depth image comes on {self.depth_topic}: remap depth '
            f'to the one that is registered to the image, as rgbd.launch.py does for several '
            f'cameras'
        )

    @property
    def no_camera_info(self) -> str:
        """What to say where depth comes without camera_info."""
        return (
            f'targets have no 3D point: depth comes, but no camera_info on '
            f"{self.camera_info_topic}: remap camera_info to the image's, and let the driver "
            f'publish its calibration'
        )

    @property
    def unmatched(self) -> str:
        """What to say where no depth is near enough to an image."""
        gap_s = self.nearest_s
        nearest = '' if gap_s is None else f' (the nearest is {gap_s:.3g} s away)'
        return (
            f'targets have no 3D point: depth comes, but none within {self.tolerance_s:g} s of '
            f"the image's stamp{nearest}: let the camera stamp both alike, or raise "
            f'depth_tolerance_s'
        )


@dataclass(frozen=True)
class HealthInputs:
    """What is known at one moment.

    Attributes:
        image_topic: The topic that images are awaited on, as it is after remapping.
        message_type: The type awaited there.
        publishers: Who publishes there.
        similar_topics: Other topics that carry images, the most alike first.
        counters: The node's frame counts.
        has_command: Whether a command is in force.
        requests: What became of the requests.
        command_topic: Where one is awaited.
        max_rate_hz: The rate limit, 0 for none: a frame may wait as long as that says.
        spatial: What is known of depth and camera_info.
        loss: How many images were lost on the way.
        sim_time: Whether the time is taken from /clock.
        clock_started: Whether a time has come from there.
    """

    image_topic: str
    message_type: str = 'sensor_msgs/msg/Image'
    publishers: Sequence[Publisher] = ()
    similar_topics: Sequence[str] = ()
    counters: Counters = field(default_factory=Counters)
    has_command: bool = False
    requests: RequestCounters = field(default_factory=RequestCounters)
    command_topic: str = 'task_command'
    max_rate_hz: float = 0.0
    spatial: SpatialFacts = field(default_factory=SpatialFacts)
    loss: FrameLoss = field(default_factory=FrameLoss)
    sim_time: bool = False
    clock_started: bool = True
