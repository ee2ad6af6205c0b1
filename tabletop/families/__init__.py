# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Families of generated shapes: each a function of a random generator and a style.

A family returns the pieces of a new shape, each piece one named part. A style is a way of being
shaped, so that whole styles can be held out for tests.
"""

from __future__ import annotations

from affordance_ros_tabletop.families import brushes
from affordance_ros_tabletop.families import cookware
from affordance_ros_tabletop.families import cups
from affordance_ros_tabletop.families import cutlery
from affordance_ros_tabletop.families import devices
from affordance_ros_tabletop.families import dishes
from affordance_ros_tabletop.families import food
from affordance_ros_tabletop.families import packages
from affordance_ros_tabletop.families import tools
from affordance_ros_tabletop.families import toys
from affordance_ros_tabletop.shape import Family

FAMILIES: dict[str, Family] = {
    'mug': cups.mug,
    'cup': cups.cup,
    'wine_glass': cups.wine_glass,
    'bottle': cups.bottle,
    'jug': cups.jug,
    'bowl': dishes.bowl,
    'ramekin': dishes.ramekin,
    'plate': dishes.plate,
    'tray': dishes.tray,
    'basket': dishes.basket,
    'moka_pot': cookware.moka_pot,
    'pan': cookware.pan,
    'knife': cutlery.knife,
    'cleaver': cutlery.cleaver,
    'fork': cutlery.fork,
    'spoon': cutlery.spoon,
    'ladle': cutlery.ladle,
    'spatula': cutlery.spatula,
    'scissors': tools.scissors,
    'hammer': tools.hammer,
    'axe': tools.axe,
    'tennis_racket': tools.tennis_racket,
    'baseball_bat': tools.baseball_bat,
    'toothbrush': brushes.toothbrush,
    'paintbrush': brushes.paintbrush,
    'pen': brushes.pen,
    'pencil': brushes.pencil,
    'apple': food.apple,
    'orange': food.orange,
    'banana': food.banana,
    'carrot': food.carrot,
    'can': packages.can,
    'carton': packages.carton,
    'box': packages.box,
    'sauce_bottle': packages.sauce_bottle,
    'book': packages.book,
    'ball': toys.ball,
    'frisbee': toys.frisbee,
    'phone': devices.phone,
    'camera': devices.camera,
    'keyboard': devices.keyboard,
    'laptop': devices.laptop,
}
