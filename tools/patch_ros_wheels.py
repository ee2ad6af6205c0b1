# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Let the ROS 2 wheels of this virtual environment build interfaces; run with its Python.

The wheels' exported CMake targets name the include folders of the container that they were built
in, and CMake refuses targets whose include folders don't exist. Running it again changes nothing.
"""

import re
import sys
import sysconfig
from pathlib import Path

import numpy

_NUMPY = re.compile(
    r'/opt/python/cp3\d+-cp3\d+/lib/python3\.\d+/site-packages/numpy/(?:_core|core)/include'
)
_PYTHON = re.compile(r'/opt/python/cp3\d+-cp3\d+/include/python3\.\d+')


def main() -> None:
    """Rewrite the include folders to this interpreter's and this numpy's."""
    python_include = sysconfig.get_paths()['include']
    for exported in Path(sys.prefix).glob('share/*/cmake/*Export*.cmake'):
        before = exported.read_text(encoding='utf-8')
        after = _PYTHON.sub(python_include, _NUMPY.sub(numpy.get_include(), before))
        if after != before:
            exported.write_text(after, encoding='utf-8')


if __name__ == '__main__':
    main()
