# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""CLIPSeg (Lüddecke and Ecker, CVPR 2022): a frozen CLIP with a decoder trained on phrases."""
