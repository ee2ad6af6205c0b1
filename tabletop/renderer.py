# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Draw a world: colour, depth in metres and which geom each pixel shows."""

from __future__ import annotations

from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from affordance_ros_tabletop.gl import mujoco
from affordance_ros_tabletop.gl import open_context
from affordance_ros_tabletop.meshes import Floats
from affordance_ros_tabletop.world import World


class Renderer:
    """A GL context for one world.

    Two passes a frame: colour with shadows, then identity colours without anti-aliasing, whose
    depth buffer gives the depth, so that masks and depth agree to the pixel.

    Args:
        world: the model to draw.
        width: pixels, at most what the world was compiled for.
        height: pixels.
    """

    def __init__(self, world: World, width: int, height: int) -> None:
        self._world = world
        self._rect = mujoco.MjrRect(0, 0, width, height)
        self._gl = open_context(width, height)
        self._scene = mujoco.MjvScene(world.model, maxgeom=world.model.ngeom + 64)
        self._context = mujoco.MjrContext(world.model, mujoco.mjtFontScale.mjFONTSCALE_100.value)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN.value, self._context)
        self._context.readDepthMap = mujoco.mjtDepthMap.mjDEPTH_ZEROFAR
        self._camera = mujoco.MjvCamera()
        self._camera.type = mujoco.mjtCamera.mjCAMERA_FIXED
        self._camera.fixedcamid = 0
        self._option = mujoco.MjvOption()
        self._shape = (height, width)

    def __enter__(self) -> Renderer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free the context."""
        self._context.free()
        self._gl.free()

    def draw(
        self, pose: Floats, fov_y_deg: float
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.int32]]:
        """Draw the world as it stands.

        Args:
            pose: (4, 4) world from camera; x right, y down, z forward.
            fov_y_deg: vertical field of view.

        Returns:
            (H, W, 3) uint8 RGB, (H, W) float32 depth in metres, (H, W) int32 geom id or -1.
        """
        model, data = self._world.model, self._world.data
        model.cam_pos[0] = pose[:3, 3]
        model.cam_fovy[0] = fov_y_deg
        flip = pose[:3, :3] * np.array([1.0, -1.0, -1.0])  # GL looks along -z with y up
        mujoco.mju_mat2Quat(model.cam_quat[0], flip.ravel())
        mujoco.mj_kinematics(model, data)
        mujoco.mj_camlight(model, data)
        mujoco.mjv_updateScene(
            model,
            data,
            self._option,
            None,
            self._camera,
            mujoco.mjtCatBit.mjCAT_ALL.value,
            self._scene,
        )
        height, width = self._shape
        colour = np.empty((height, width, 3), np.uint8)
        mujoco.mjr_render(self._rect, self._scene, self._context)
        mujoco.mjr_readPixels(colour, None, self._rect, self._context)
        code, buffer = np.empty_like(colour), np.empty((height, width), np.float32)
        flags = self._scene.flags.copy()
        self._scene.flags[mujoco.mjtRndFlag.mjRND_SEGMENT] = True
        self._scene.flags[mujoco.mjtRndFlag.mjRND_IDCOLOR] = True
        mujoco.mjr_render(self._rect, self._scene, self._context)
        mujoco.mjr_readPixels(code, buffer, self._rect, self._context)
        np.copyto(self._scene.flags, flags)
        near, far = model.vis.map.znear, model.vis.map.zfar
        depth = near * far / (near + buffer.astype(np.float64) * (far - near))
        return np.flipud(colour).copy(), np.flipud(depth).astype(np.float32), self._geoms(code)

    def _geoms(self, code: NDArray[np.uint8]) -> NDArray[np.int32]:
        """Turn identity colours into geom ids; -1 is the background."""
        index = code.astype(np.int32) @ np.array([1, 256, 65536], np.int32)
        table = np.full(self._scene.ngeom + 2, -1, np.int32)
        for k in range(self._scene.ngeom):
            geom = self._scene.geoms[k]
            if geom.segid >= 0 and geom.objtype == mujoco.mjtObj.mjOBJ_GEOM:
                table[geom.segid + 1] = geom.objid
        return np.flipud(table[index]).copy()
