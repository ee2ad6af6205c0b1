#!/bin/bash
# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0
#
# Source ROS, the venv with torch, and the workspace, then run what was asked for.
set -e
source /opt/ros/jazzy/setup.bash
source /ws/venv/bin/activate
source /ws/install/setup.bash
exec "$@"
