# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Families of generated shapes: each a function of a random generator and a style.

A family returns the pieces of a new shape, each piece one named part. A style is a way of being
shaped, so that whole styles can be held out for tests.
"""

from __future__ import annotations

from tabletop.families import brushes
from tabletop.families import cookware
from tabletop.families import cups
from tabletop.families import cutlery
from tabletop.families import devices
from tabletop.families import dishes
from tabletop.families import food
from tabletop.families import packages
from tabletop.families import tools
from tabletop.families import toys
from tabletop.shape import Family

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
