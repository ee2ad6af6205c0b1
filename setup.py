# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Which folder is installed under which name; pyproject.toml says the rest.

`eval`, `training` and `tabletop` would clash with other people's packages, so each is installed
with the project's name before its own.
"""

from setuptools import find_packages
from setuptools import setup

INSTALLED = {f'affordance_ros_{folder}': folder for folder in ('eval', 'tabletop', 'training')}

packages = find_packages(include=['affordance_ros', 'affordance_ros.*'])
for name, folder in INSTALLED.items():
    packages += [name, *(f'{name}.{inner}' for inner in find_packages(folder))]

setup(packages=packages, package_dir={'': '.', **INSTALLED})
