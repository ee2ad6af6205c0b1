# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""MuJoCo with a GL backend that works without a screen: EGL where it can draw, else OSMesa.

MuJoCo reads MUJOCO_GL once, on import, so this module is the only one that imports it.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import subprocess
import sys
from types import ModuleType
from typing import Any

from affordance_ros_tabletop.errors import RenderUnavailableError

_PROBE = 'import mujoco; c = mujoco.GLContext(16, 16); c.make_current()'
_ADVICE = (
    'install one of them (Debian, Ubuntu: `apt install libegl1 libgl1-mesa-dri` for EGL, '
    '`apt install libosmesa6` for OSMesa), or set MUJOCO_GL to one that works'
)


def _draws(backend: str) -> str | None:
    """Try a backend in a process of its own; return None if it draws, else its last words."""
    done = subprocess.run(
        [sys.executable, '-c', _PROBE],
        env={**os.environ, 'MUJOCO_GL': backend, 'PYOPENGL_PLATFORM': backend},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    words = done.stderr.strip().splitlines() or [f'ended with {done.returncode}']
    return None if done.returncode == 0 else words[-1]


def _choose() -> None:
    if os.environ.get('MUJOCO_GL'):
        return
    failures = []
    for backend in ('egl', 'osmesa'):
        reason = _draws(backend)
        if reason is None:
            os.environ['MUJOCO_GL'] = backend
            return
        failures.append(f'{backend}: {reason}')
    raise RenderUnavailableError(
        f'no OpenGL can draw without a screen here ({"; ".join(failures)}): {_ADVICE}'
    )


def _import() -> ModuleType:
    if importlib.util.find_spec('mujoco') is None:
        raise RenderUnavailableError(
            'the tabletop renders by MuJoCo, which is not installed: '
            'run `pip install "affordance_ros[tabletop]"`'
        )
    _choose()
    try:
        return importlib.import_module('mujoco')
    except Exception as error:  # PyOpenGL raises whatever a missing library makes of it
        raise RenderUnavailableError(
            f"MuJoCo can't load MUJOCO_GL={os.environ['MUJOCO_GL']} ({error!r}): {_ADVICE}"
        ) from error


mujoco: Any = _import()


def open_context(width: int, height: int) -> Any:
    """Make a GL context without a screen and make it current.

    Raises:
        RenderUnavailableError: if the chosen backend can't.
    """
    try:
        # By name, as mujoco.GLContext may be of another backend where something imported MuJoCo
        # before this module did.
        backend = os.environ['MUJOCO_GL'].lower()
        module = f'mujoco.{backend}' if backend in ('egl', 'osmesa') else 'mujoco'
        context = importlib.import_module(module).GLContext(width, height)
        context.make_current()
    except Exception as error:
        raise RenderUnavailableError(
            f"MUJOCO_GL={os.environ['MUJOCO_GL']} can't open a context ({error!r}): {_ADVICE}"
        ) from error
    return context
