# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""BibTeX entries of the published rows."""


def _entry(key: str, author: str, title: str, venue: str, year: int) -> str:
    kind, where = 'inproceedings', f'booktitle = {{{venue}}}'
    if venue.startswith('arXiv:'):
        kind = 'misc'
        where = f'eprint = {{{venue.removeprefix("arXiv:")}}},\n  archivePrefix = {{arXiv}}'
    return (
        f'@{kind}{{{key},\n  author = {{{author}}},\n  title = {{{{{title}}}}},\n'
        f'  {where},\n  year = {{{year}}},\n}}\n'
    )


# First authors alone; complete them from your own reference manager.
_WORKS: dict[str, tuple[str, str, str, int]] = {
    'luo2022crossviewag': (
        'Luo, Hongchen', 'Learning Affordance Grounding from Exocentric Images', 'CVPR', 2022,
    ),
    'li2023locate': (
        'Li, Gen',
        'LOCATE: Localize and Transfer Object Parts for Weakly Supervised Affordance Grounding',
        'CVPR', 2023,
    ),
    'xu2024wsma': (
        'Xu, Lingjing', 'Weakly Supervised Multimodal Affordance Grounding for Egocentric Images',
        'AAAI', 2024,
    ),
    'moon2025selective': (
        'Moon, WonJun',
        'Selective Contrastive Learning for Weakly Supervised Affordance Grounding',
        'ICCV', 2025,
    ),
    'tang2025looptrans': (
        'Tang, Jiajin', 'Closed-Loop Transfer for Weakly-supervised Affordance Grounding',
        'ICCV', 2025,
    ),
    'xu2025plsp': (
        'Xu, Peiran',
        'Weakly-Supervised Affordance Grounding Guided by Part-Level Semantic Priors',
        'ICLR', 2025,
    ),
    'li2024ooal': (
        'Li, Gen', 'One-Shot Open Affordance Learning with Foundation Models', 'CVPR', 2024,
    ),
    'qian2024affordancellm': (
        'Qian, Shengyi', 'AffordanceLLM: Grounding Affordance from Vision Language Models',
        'CVPR Workshops', 2024,
    ),
    'lan2024clearclip': (
        'Lan, Mengcheng',
        'ClearCLIP: Decomposing CLIP Representations for Dense Vision-Language Inference',
        'ECCV', 2024,
    ),
    'tang2025uad': (
        'Tang, Yihe',
        'UAD: Unsupervised Affordance Distillation for Generalization in Robotic Manipulation',
        'ICRA', 2025,
    ),
    'lee2025affogato': (
        'Lee, Junha',
        'Affogato: Learning Open-Vocabulary Affordance Grounding with Automated Data Generation '
        'at Scale',
        'arXiv:2506.12009', 2025,
    ),
    'lai2024lisa': (
        'Lai, Xin', 'LISA: Reasoning Segmentation via Large Language Model', 'CVPR', 2024,
    ),
    'wu2025ragnet': (
        'Wu, Dongming',
        'RAGNet: Large-scale Reasoning-based Affordance Segmentation Benchmark towards General '
        'Grasping',
        'ICCV', 2025,
    ),
    'deitke2025molmo': (
        'Deitke, Matt',
        'Molmo and PixMo: Open Weights and Open Data for State-of-the-Art Vision-Language Models',
        'CVPR', 2025,
    ),
}  # fmt: skip
BIBLIOGRAPHY = {
    key: _entry(key, f'{author} and others', title, venue, year)
    for key, (author, title, venue, year) in _WORKS.items()
}
