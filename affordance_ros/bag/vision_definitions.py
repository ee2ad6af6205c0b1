# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The definitions of the vision_msgs that the bag tool writes."""

DETECTIONS_2D = 'vision_msgs/msg/Detection2DArray'
DETECTIONS_3D = 'vision_msgs/msg/Detection3DArray'
# Of vision_msgs 4, without comments; a test holds them equal to what `make build` builds.
VISION_DEFINITIONS = {
    'vision_msgs/msg/Point2D': """\
float64 x
float64 y
""",
    'vision_msgs/msg/Pose2D': """\
vision_msgs/Point2D position
float64 theta
""",
    'vision_msgs/msg/BoundingBox2D': """\
vision_msgs/Pose2D center
float64 size_x
float64 size_y
""",
    'vision_msgs/msg/BoundingBox3D': """\
geometry_msgs/Pose center
geometry_msgs/Vector3 size
""",
    'vision_msgs/msg/ObjectHypothesis': """\
string class_id
float64 score
""",
    'vision_msgs/msg/ObjectHypothesisWithPose': """\
vision_msgs/ObjectHypothesis hypothesis
geometry_msgs/PoseWithCovariance pose
""",
    'vision_msgs/msg/Detection2D': """\
std_msgs/Header header
vision_msgs/ObjectHypothesisWithPose[] results
vision_msgs/BoundingBox2D bbox
string id
""",
    'vision_msgs/msg/Detection3D': """\
std_msgs/Header header
vision_msgs/ObjectHypothesisWithPose[] results
vision_msgs/BoundingBox3D bbox
string id
""",
    DETECTIONS_2D: """\
std_msgs/Header header
vision_msgs/Detection2D[] detections
""",
    DETECTIONS_3D: """\
std_msgs/Header header
vision_msgs/Detection3D[] detections
""",
}
