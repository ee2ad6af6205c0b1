# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The ROS nodes: the only files of the package that import rclpy."""
