# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0
#
# source scripts/env.sh: the wheels' ROS 2 and the built messages, as `make` uses them.
# Discovery stays on this machine; set ROS_DOMAIN_ID yourself to keep several runs apart.
_root=$(cd "$(dirname "${BASH_SOURCE[0]:-$0}")/.." && pwd)
if [ ! -f "$_root/install/setup.bash" ]; then
    echo "nothing is built here yet: run 'make build' first" >&2
    return 1 2>/dev/null || exit 1
fi
# Sourced twice it changes nothing: what the setup file puts first stays first.
case :$PATH: in *":$_root/.venv/bin:"*) ;; *) export PATH="$_root/.venv/bin:$PATH" ;; esac
export VIRTUAL_ENV="$_root/.venv"
export AMENT_PREFIX_PATH="$_root/.venv" ROS_DISTRO=kilted
export ROS_AUTOMATIC_DISCOVERY_RANGE=${ROS_AUTOMATIC_DISCOVERY_RANGE:-LOCALHOST}
export FASTDDS_DEFAULT_PROFILES_FILE=${FASTDDS_DEFAULT_PROFILES_FILE:-$_root/config/fastdds_shm.xml}
# The wheels' bootstrap marks the environment that it has prepared; another one's mark is wrong.
unset _ROS_WHEELS_BOOTSTRAP_COMPLETE
case $- in *u*) _had_u=1; set +u ;; *) _had_u= ;; esac  # colcon's files are not "set -u" safe
. "$_root/install/setup.bash"
[ -n "$_had_u" ] && set -u
unset _root _had_u
