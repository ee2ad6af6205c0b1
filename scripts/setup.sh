#!/usr/bin/env bash
# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0
#
# setup.sh [demo]: make .venv from the pinned requirements and build the messages: everything that
# `make test` runs on, or with `demo` only what `make demo` needs, without torch. Does nothing where
# nothing has changed; the whole is installed on top of the demo's part.
set -euo pipefail
cd "$(dirname "$0")/.."

LOCK=requirements/lock.txt
PART=requirements/${1:-lock}.txt
VENV=.venv

# Linked, they are another checkout's, whose place they know: tools/docs_check runs so.
[[ -L $VENV && -L install ]] && exit 0

die() { printf '\n%s\n' "$*" >&2; exit 1; }

if [[ "$(uname -m)" != x86_64 || "$(uname -s)" != Linux ]]; then
    die "The ROS 2 wheels exist for x86-64 Linux alone. On this machine ($(uname -sm)), install ROS 2
from apt and follow 'On a robot' in the README."
fi

# --- System packages -------------------------------------------------------------------------
find_python() {
    local candidate
    for candidate in ${PYTHON:-python3.11 python3.12 python3.10 python3}; do
        if "$candidate" - 2>/dev/null <<'PY'
import ensurepip, pathlib, sys, sysconfig, venv
header = pathlib.Path(sysconfig.get_paths()['include'], 'Python.h')
sys.exit(not ((3, 10) <= sys.version_info[:2] <= (3, 12) and header.exists()))
PY
        then
            command -v "$candidate"
            return
        fi
    done
}
missing_packages() {
    [[ -n "$(find_python)" ]] || echo "python3 python3-venv python3-dev"
    command -v cmake >/dev/null || echo cmake
    command -v g++ >/dev/null || echo g++
    command -v make >/dev/null || echo make
    # MuJoCo draws the tabletop without a screen through EGL.
    ldconfig -p | grep -q 'libEGL\.so\.1' || echo libegl1 libgl1-mesa-dri
}
missing=$(missing_packages | tr '\n' ' ')
if [[ -n "$missing" ]]; then
    if [[ $EUID -eq 0 ]] && command -v apt-get >/dev/null; then
        echo "installing system packages: $missing"
        apt-get update -qq
        # shellcheck disable=SC2086  # one word for each package
        DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $missing
    else
        die "These system packages are missing: $missing
Install them with
  sudo apt-get install $missing
(Python must be 3.10, 3.11 or 3.12, with venv and headers; set PYTHON=/path/to/python to choose.)"
    fi
fi
python=$(find_python)
[[ -n "$python" ]] || die "No Python 3.10, 3.11 or 3.12 with venv and headers was found, even after
installing: $missing
Set PYTHON=/path/to/python to name one."

# --- Python packages -------------------------------------------------------------------------
whole=$(cat $LOCK tools/patch_ros_wheels.py | sha256sum; "$python" --version)
want=$(cat "$PART" tools/patch_ros_wheels.py | sha256sum; "$python" --version)
have=$(cat $VENV/.installed 2>/dev/null || true)
if [[ "$have" != "$want" && "$have" != "$whole" ]]; then
    if [[ $PART == "$LOCK" ]]; then
        echo "installing the pinned packages into $VENV (about 7 GB, torch among them)"
    else
        echo "installing the demo's pinned packages into $VENV (about 0.7 GB)"
    fi
    # An environment of the same Python is brought up to date in place.
    if [[ "$($VENV/bin/python --version 2>/dev/null)" != "$("$python" --version)" ]]; then
        rm -rf $VENV
        "$python" -m venv $VENV
    fi
    rm -f $VENV/.installed
    # pip warns of every index that lacks a package; its errors still come through.
    $VENV/bin/pip install --quiet --quiet --disable-pip-version-check --require-hashes \
        --requirement "$PART"
    $VENV/bin/python tools/patch_ros_wheels.py
    echo "$want" > $VENV/.installed
fi
# Entry points and the package's place, which change more often than the pins.
want=$(sed "/^\[tool.ruff\]/q" pyproject.toml | cat - setup.py | sha256sum; pwd)
if [[ "$(cat $VENV/.editable 2>/dev/null)" != "$want" ]]; then
    $VENV/bin/pip install --quiet --quiet --no-deps --no-build-isolation --editable .
    # mypy can't see through the editable installation.
    mkdir -p $VENV/names
    for folder in eval tabletop training; do
        ln -sfn "../../$folder" "$VENV/names/affordance_ros_$folder"
    done
    echo "$want" > $VENV/.editable
fi

# --- Messages --------------------------------------------------------------------------------
# The wheels lack some interfaces. The demo needs but one of them; vision_msgs takes a minute.
interfaces=std_srvs
[[ $PART == "$LOCK" ]] && interfaces=$(cd interfaces && ls)
common=$(grep -E '^(numpy|ros-)' requirements/demo.txt; "$python" --version; cat scripts/setup.sh)
wanted() {  # wanted PACKAGE: what its compiled part is made of
    if [[ $1 == affordance_ros ]]; then
        { cat msg/* srv/* CMakeLists.txt package.xml; echo "$common"; } | sha256sum
    else
        { find "interfaces/$1" -type f -exec cat {} +; echo "$common"; } | sha256sum
    fi
}
links=$(find affordance_ros config examples launch rviz samples scripts -type f ! -name '*.pyc' | sort)
todo=()
for package in $interfaces affordance_ros; do
    if [[ "$(cat "install/.$package" 2>/dev/null)" != "$(wanted "$package")" ]]; then
        rm -rf "build/$package" "install/$package" "install/.$package"
        todo+=("$package")
    elif [[ $package == affordance_ros && "$(cat install/.links 2>/dev/null)" != "$links" ]]; then
        rm -rf install/affordance_ros  # only links change: what is compiled stays
        todo+=("$package")
    fi
done
if [[ ${#todo[@]} -gt 0 ]]; then
    echo "building ${todo[*]} with colcon"
    mkdir -p build/src
    # CMake refuses include folders that lie inside the source folder, as .venv does; so the source
    # folder is named through a link beside it.
    ln -sfn ../.. build/src/affordance_ros
    for package in $interfaces; do
        ln -sfn "../../interfaces/$package" "build/src/$package"
    done
    venv=$(realpath $VENV)
    PATH="$venv/bin:$PATH" AMENT_PREFIX_PATH="$venv" CMAKE_PREFIX_PATH="$venv" \
        "$venv/bin/colcon" --log-level error build --symlink-install --base-paths build/src \
        --packages-select "${todo[@]}" --event-handlers console_direct- status- summary+ \
        --cmake-force-configure --cmake-args -DBUILD_TESTING=OFF -Wno-dev
    for package in "${todo[@]}"; do
        wanted "$package" > "install/.$package"
    done
    echo "$links" > install/.links
fi
