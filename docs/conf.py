# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""How Sphinx builds the documentation: `make docs`.

The source folder is the repository's root, so that README and docs link to each other and to the
code as they do in a checkout. Sphinx, since it is what rosdoc2 and docs.ros.org build with.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # autodoc imports the package

project = 'affordance_ros'
author = 'affordance_ros maintainers'
copyright = '2026, affordance_ros maintainers'
release = re.findall(r'<version>(.+?)</version>', (ROOT / 'package.xml').read_text())[0]

extensions = ['myst_parser', 'sphinx.ext.autodoc', 'sphinx.ext.napoleon', 'sphinx_copybutton']
root_doc = 'docs/index'
include_patterns = [
    'README.md',
    'CONTRIBUTING.md',
    'CHANGELOG.rst',
    'QUALITY_DECLARATION.md',
    'SECURITY.md',
    'affordance_ros/weights/household/README.md',
    'docs/**',
    'samples/ATTRIBUTION.md',
    'tests/README.md',
]
exclude_patterns = ['.*', 'build', 'data', 'install', 'log', 'out', 'runs']
autodoc_member_order = 'bysource'
autodoc_typehints = 'signature'
myst_heading_anchors = 3
html_theme = 'furo'
html_title = f'affordance_ros {release}'
