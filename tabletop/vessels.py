"""Generated vessels: mugs, cups, bowls, plates, bottles, glasses, jugs, pots, pans, trays.

Each function takes a random generator and a style, and returns the pieces of a new shape. A
style is a way of being shaped (its profile), so that whole styles can be held out for tests.
"""

from __future__ import annotations

import numpy as np

from tabletop.meshes import Floats
from tabletop.meshes import Mesh
from tabletop.meshes import lathe
from tabletop.meshes import merged
from tabletop.meshes import slab
from tabletop.meshes import smooth
from tabletop.meshes import tube
from tabletop.shape import Piece
from tabletop.shape import unknown_style

# Outlines as radius over height, both 0..1, from the foot to the lip.
_CUP_PROFILES: dict[str, list[tuple[float, float]]] = {
    'straight': [(0.96, 0), (1, 0.06), (1, 0.5), (1, 1)],
    'tapered': [(0.68, 0), (0.74, 0.08), (0.87, 0.5), (1, 1)],
    'barrel': [(0.72, 0), (0.88, 0.18), (1, 0.5), (0.9, 1)],
    'belly': [(0.6, 0), (0.95, 0.22), (1, 0.4), (0.76, 0.75), (0.84, 1)],
    'flared': [(0.6, 0), (0.66, 0.3), (0.74, 0.6), (1, 1)],
    'footed': [(0.62, 0), (0.58, 0.08), (0.9, 0.3), (1, 0.6), (0.97, 1)],
}
_BOWL_PROFILES: dict[str, list[tuple[float, float]]] = {
    'round': [(0.4, 0), (0.66, 0.14), (0.9, 0.5), (1, 1)],
    'steep': [(0.55, 0), (0.78, 0.1), (0.93, 0.5), (1, 1)],
    'conical': [(0.36, 0), (0.5, 0.2), (0.76, 0.6), (1, 1)],
    'lipped': [(0.44, 0), (0.68, 0.2), (0.82, 0.7), (0.86, 0.9), (1, 1)],
    'footed': [(0.42, 0), (0.38, 0.12), (0.7, 0.3), (0.95, 0.7), (1, 1)],
}


def _walls(
    outline: Floats, radius: float, height: float, wall: float, floor: float
) -> tuple[Floats, Floats]:
    """Scale an outline and give its inside: two (K, 2) profiles, both from foot to lip."""
    outer = outline * np.array([radius, height])
    inner = outer - np.array([wall, 0])
    inner = inner[inner[:, 1] > floor]
    inner = np.concatenate([[[inner[0, 0], floor]], inner])
    return outer, inner


def _hollow(
    outline: list[tuple[float, float]], radius: float, height: float, wall: float, lip: float
) -> tuple[Mesh, Mesh]:
    """Make a vessel: its body, and its rim (the top share `lip` of its height) as two meshes."""
    outer, inner = _walls(smooth(outline, 30), radius, height, wall, max(wall, 0.004))
    cut = (1 - lip) * height
    r_out, r_in = np.interp(cut, outer[:, 1], outer[:, 0]), np.interp(cut, inner[:, 1], inner[:, 0])
    low_out, low_in = outer[outer[:, 1] < cut], inner[inner[:, 1] < cut]
    high_out, high_in = outer[outer[:, 1] >= cut], inner[inner[:, 1] >= cut]
    body = [[0, 0], *low_out, [r_out, cut], [r_in, cut], *low_in[::-1], [0, low_in[0, 1]]]
    # A ring is a profile that closes: start and end at the same point inside the wall.
    ring = [[r_in, cut], [r_out, cut], *high_out, *high_in[::-1], [r_in, cut]]
    return lathe(body), _ring(np.asarray(ring, float))


def _ring(profile: Floats, around: int = 36) -> Mesh:
    """Turn a closed profile that stays off the axis."""
    angle = np.linspace(0, 2 * np.pi, around, endpoint=False)
    points = profile[:-1]
    rings = np.stack(
        [
            points[None, :, 0] * np.cos(angle)[:, None],
            points[None, :, 0] * np.sin(angle)[:, None],
            np.broadcast_to(points[None, :, 1], (around, len(points))),
        ],
        -1,
    )
    count, size = rings.shape[:2]
    k, j = (m.ravel() for m in np.meshgrid(np.arange(count), np.arange(size)))
    k2, j2 = (k + 1) % count, (j + 1) % size
    a, b, c, d = k * size + j, k * size + j2, k2 * size + j2, k2 * size + j
    faces = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)]).astype(np.int32)
    mesh = Mesh(rings.reshape(-1, 3), faces)
    return mesh if mesh.volume() > 0 else Mesh(mesh.vertices, mesh.faces[:, ::-1].copy())


def _ear(
    rng: np.random.Generator, outline: Floats, radius: float, height: float, reach: float
) -> Mesh:
    """Make a mug-like handle on +x that runs into the wall at both ends."""
    top, low = rng.uniform(0.72, 0.9), rng.uniform(0.14, 0.32)
    wall = np.interp([low, top], outline[:, 1], outline[:, 0]) * radius - 0.003
    middle = (top + low) / 2
    square = rng.uniform(0.55, 1.0)
    points = [
        [wall[1], 0, top * height],
        [wall[1] + square * reach, 0, (top - 0.02) * height],
        [radius + reach, 0, (middle + rng.uniform(0.0, 0.12)) * height],
        [wall[0] + rng.uniform(0.5, 0.85) * reach, 0, (low + 0.06) * height],
        [wall[0], 0, low * height],
    ]
    thick = rng.uniform(0.0042, 0.0075)
    return tube(smooth(points, 20), thick, flat=rng.uniform(0.8, 1.5))


def mug(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a mug: body, rim, handle."""
    profile = _profile('mug', style, _CUP_PROFILES)
    radius, height = rng.uniform(0.034, 0.05), rng.uniform(0.07, 0.115)
    body, rim = _hollow(profile, radius, height, rng.uniform(0.003, 0.0055), 0.2)
    handle = _ear(rng, smooth(profile, 30), radius, height, rng.uniform(0.018, 0.034))
    role = 'print' if rng.random() < 0.5 else 'main'
    trim = 'main' if rng.random() < 0.7 else 'accent'
    return [Piece('body', role, body), Piece('rim', role, rim), Piece('handle', trim, handle)]


def cup(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a tumbler without a handle: body, rim."""
    profile = _profile('cup', style, _CUP_PROFILES)
    radius = rng.uniform(0.03, 0.042)
    body, rim = _hollow(profile, radius, rng.uniform(0.08, 0.14), rng.uniform(0.002, 0.004), 0.22)
    role = 'print' if rng.random() < 0.4 else 'main'
    return [Piece('body', role, body), Piece('rim', role, rim)]


def wine_glass(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a glass on a stem: foot and bowl (body), stem, rim."""
    bowls = {
        'tulip': [(0.12, 0), (0.7, 0.16), (1, 0.45), (0.84, 1)],
        'wide': [(0.12, 0), (0.85, 0.25), (1, 0.6), (0.95, 1)],
        'flute': [(0.14, 0), (0.8, 0.2), (1, 0.5), (0.95, 1)],
        'cone': [(0.1, 0), (0.4, 0.33), (0.7, 0.66), (1, 1)],
    }
    profile = _profile('wine glass', style, bowls)
    radius = rng.uniform(0.026, 0.032) if style == 'flute' else rng.uniform(0.034, 0.045)
    bowl_height = rng.uniform(0.1, 0.13) if style == 'flute' else rng.uniform(0.06, 0.085)
    stem = rng.uniform(0.06, 0.09)
    body, rim = _hollow(profile, radius, bowl_height, 0.0022, 0.25)
    foot = radius * rng.uniform(0.75, 0.95)
    base = lathe([[0, 0], [foot, 0], [foot, 0.003], [0.008, 0.007], [0, 0.007]])
    rod = lathe([[0, 0.005], [0.006, 0.006], [0.004, 0.02], [0.004, stem], [0.007, stem + 0.006],
                 [0, stem + 0.007]], 16)
    return [
        Piece('body', 'main', merged(base, body.moved(z=stem))),
        Piece('stem', 'main', rod),
        Piece('rim', 'main', rim.moved(z=stem)),
    ]


def bowl(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a bowl: body, rim."""
    profile = _profile('bowl', style, _BOWL_PROFILES)
    radius = rng.uniform(0.055, 0.085)
    height = radius * rng.uniform(0.55, 0.95)
    body, rim = _hollow(profile, radius, height, rng.uniform(0.003, 0.005), 0.2)
    role = 'print' if rng.random() < 0.35 else 'main'
    return [Piece('body', role, body), Piece('rim', 'main', rim)]


def ramekin(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a small ribbed baking dish: body, rim."""
    profile = _profile('ramekin', style, {'upright': _CUP_PROFILES['straight'],
                                          'sloped': _CUP_PROFILES['tapered'],
                                          'round': _BOWL_PROFILES['steep']})
    radius = rng.uniform(0.036, 0.05)
    height = radius * rng.uniform(0.75, 1.05)
    body, rim = _hollow(profile, radius, height, 0.005, 0.22)
    ribs = int(rng.integers(18, 30))
    angle = np.arctan2(body.vertices[:, 1], body.vertices[:, 0])
    wave = 1 + 0.03 * (np.abs(np.cos(angle * ribs / 2)) - 0.5)
    ribbed = body.vertices * np.stack([wave, wave, np.ones_like(wave)], 1)
    return [Piece('body', 'main', Mesh(ribbed, body.faces)), Piece('rim', 'main', rim)]


def plate(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a plate: body, rim (its raised border)."""
    shapes = {
        'flat': [(0.62, 0), (0.68, 0.25), (0.76, 0.6), (1, 1)],
        'coupe': [(0.5, 0), (0.75, 0.25), (0.9, 0.6), (1, 1)],
        'broad': [(0.5, 0), (0.56, 0.4), (0.6, 0.7), (1, 1)],
        'deep': [(0.55, 0), (0.72, 0.3), (0.76, 0.8), (1, 1)],
    }
    profile = _profile('plate', style, shapes)
    radius = rng.uniform(0.075, 0.11)
    height = rng.uniform(0.03, 0.04) if style == 'deep' else rng.uniform(0.014, 0.022)
    body, rim = _hollow(profile, radius, height, 0.004, 0.4)
    return [
        Piece('body', 'print' if rng.random() < 0.3 else 'main', body),
        Piece('rim', 'main', rim),
    ]


def bottle(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a bottle: body, neck, cap."""
    shoulders = {
        'sloped': [(1, 0.0), (0.95, 0.25), (0.6, 0.65), (0.36, 1.0)],
        'square': [(1, 0.0), (1.0, 0.45), (0.85, 0.8), (0.36, 1.0)],
        'round': [(1, 0.0), (0.9, 0.4), (0.65, 0.75), (0.36, 1.0)],
        'waisted': [(1, 0.0), (0.8, 0.35), (0.7, 0.6), (0.34, 1.0)],
    }
    shoulder = smooth(_profile('bottle', style, shoulders), 12)
    radius, height = rng.uniform(0.028, 0.04), rng.uniform(0.18, 0.26)
    straight, neck = height * rng.uniform(0.48, 0.62), height * rng.uniform(0.16, 0.26)
    top = height - neck - 0.016
    slope = np.c_[shoulder[:, 0] * radius, straight + shoulder[:, 1] * (top - straight)]
    waist = [[radius * 0.9, straight * 0.55]] if style == 'waisted' else []
    side = smooth([[radius, 0.006], *waist, [radius, straight]], 12)
    body = lathe([[0, 0], [radius * 0.92, 0], *side, *slope[1:], [0, top]])
    thin = slope[-1, 0]
    throat = lathe([[0, top - 0.002], [thin, top - 0.002], [thin * 0.92, top + neck], [0, top + neck]])
    cap = lathe([[0, 0], [thin * 1.12, 0], [thin * 1.12, 0.017], [0, 0.018]]).moved(z=top + neck - 0.002)
    return [
        Piece('body', 'print' if rng.random() < 0.6 else 'main', body),
        Piece('neck', 'main', throat),
        Piece('cap', str(rng.choice(['accent', 'dark', 'metal', 'white'])), cap),
    ]


def jug(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a jug: body, handle, spout (a lip drawn out of the rim)."""
    profile = _profile('jug', style, {'belly': _CUP_PROFILES['belly'],
                                      'tapered': [(1, 0), (0.95, 0.3), (0.75, 0.7), (0.7, 1)],
                                      'barrel': _CUP_PROFILES['barrel']})
    radius, height = rng.uniform(0.045, 0.058), rng.uniform(0.13, 0.18)
    body, rim = _hollow(profile, radius, height, 0.004, 0.16)
    # Draw the rim out towards -x into a lip.
    v = rim.vertices.copy()
    toward = np.clip(-v[:, 0] / np.hypot(v[:, 0], v[:, 1]), 0, 1) ** 6
    lift = np.clip((v[:, 2] - v[:, 2].min()) / np.ptp(v[:, 2]), 0, 1)
    v[:, 0] -= toward * lift * rng.uniform(0.018, 0.028)
    v[:, 2] += toward * lift * 0.006
    v[:, 1] *= 1 - 0.4 * toward * lift
    lip = toward[rim.faces].max(1) > 0.25
    handle = _ear(rng, smooth(profile, 30), radius, height, rng.uniform(0.026, 0.038))
    handle = Mesh(handle.vertices * np.array([1.0, 1.25, 1.0]), handle.faces)
    pieces = [
        Piece('body', 'print' if rng.random() < 0.4 else 'main', body),
        Piece('handle', 'main', handle),
        Piece('spout', 'main', Mesh(v, rim.faces[lip])),
        Piece('body', 'main', Mesh(v, rim.faces[~lip])),
    ]
    return pieces


def moka_pot(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a stove-top coffee pot: body, lid, spout, handle."""
    sides = {'octagonal': 8, 'hexagonal': 6, 'round': 36}
    if style not in sides:
        raise unknown_style('moka pot', style, tuple(sides))
    around = sides[style]
    radius, height = rng.uniform(0.038, 0.048), rng.uniform(0.12, 0.16)
    waist = height * rng.uniform(0.42, 0.5)
    body = lathe([[0, 0], [radius, 0], [radius * 0.78, waist], [radius * 0.84, waist + 0.006],
                  [radius * 0.72, waist + 0.012], [radius * 0.95, height], [0, height]], around)
    lid = lathe([[0, height], [radius * 0.97, height], [radius * 0.6, height + 0.012],
                 [0.007, height + 0.016], [0.009, height + 0.03], [0, height + 0.033]], around)
    spout = tube([[-radius * 0.6, 0, height * 0.78], [-radius * 0.95, 0, height * 0.93],
                  [-radius * 1.28, 0, height * 1.0]], [0.013, 0.011, 0.005])
    grip = rng.uniform(0.022, 0.032)
    handle = tube(smooth([[radius * 0.8, 0, height * 0.93], [radius + grip, 0, height * 0.95],
                          [radius + grip * 1.15, 0, height * 0.7],
                          [radius + grip * 0.9, 0, height * 0.45]], 14), 0.0075, flat=1.2)
    return [Piece('body', 'main', body), Piece('lid', 'main', lid), Piece('spout', 'main', spout),
            Piece('handle', 'dark', handle)]


def pan(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a pan: body, handle."""
    sides = {'frying': (0.2, 0.3), 'sauce': (0.6, 0.85), 'saute': (0.32, 0.45)}
    if style not in sides:
        raise unknown_style('pan', style, tuple(sides))
    radius = rng.uniform(0.06, 0.075) if style == 'sauce' else rng.uniform(0.075, 0.1)
    height = radius * rng.uniform(*sides[style])
    foot = 0.8 if style == 'frying' else 0.97
    body, rim = _hollow([(foot, 0), (foot + 0.05, 0.2), (0.97, 0.6), (1, 1)], radius, height, 0.003, 0.2)
    length = rng.uniform(0.11, 0.16)
    rise = rng.uniform(0.0, 0.035)
    path = smooth([[radius * 0.97, 0, height * 0.8], [radius + length * 0.35, 0, height * 0.9 + rise * 0.6],
                   [radius + length, 0, height * 0.85 + rise]], 14)
    handle = tube(path, np.linspace(0.007, 0.011, 14).tolist(), flat=rng.uniform(0.5, 0.9))
    grip = str(rng.choice(['dark', 'wood', 'metal', 'accent']))
    return [Piece('body', 'main', merged(body, rim)), Piece('handle', grip, handle)]


def tray(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a tray with two handles at its short sides: body, handle."""
    round_corner = {'square': 0.004, 'rounded': 0.03, 'oval': 0.075}
    if style not in round_corner:
        raise unknown_style('tray', style, tuple(round_corner))
    x, y, rise = rng.uniform(0.2, 0.27), rng.uniform(0.15, 0.19), rng.uniform(0.018, 0.032)
    corner = round_corner[style]
    base = slab(x, y, 0.006, corner=corner)
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    # A superellipse follows the rounded outline closely enough for a border.
    power = 2.2 if style == 'oval' else 5.0 if style == 'rounded' else 12.0
    c, s = np.cos(angle), np.sin(angle)
    path = np.stack([np.sign(c) * np.abs(c) ** (2 / power) * x / 2,
                     np.sign(s) * np.abs(s) ** (2 / power) * y / 2,
                     np.full(60, rise / 2)], 1)
    border = tube(path, 0.004, flat=rise / 0.008, around=10, closed=True)
    pieces = [Piece('body', 'main', merged(base, border))]
    role = str(rng.choice(['main', 'dark', 'metal', 'accent']))
    half = y * rng.uniform(0.2, 0.28)
    for side in (-1, 1):
        out = x / 2 + rng.uniform(0.022, 0.03)
        arc = smooth([[side * (x / 2 - 0.002), -half, rise * 0.8], [side * out, -half * 0.75, rise],
                      [side * out, half * 0.75, rise], [side * (x / 2 - 0.002), half, rise * 0.8]], 18)
        pieces.append(Piece('handle', role, tube(arc, 0.0065)))
    return pieces


def basket(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a basket with a bow over it: body, handle."""
    profile = _profile('basket', style, {'round': _BOWL_PROFILES['steep'],
                                         'bucket': _CUP_PROFILES['tapered'],
                                         'drum': _CUP_PROFILES['straight']})
    radius = rng.uniform(0.065, 0.085)
    height = radius * rng.uniform(0.8, 1.2)
    body, rim = _hollow(profile, radius, height, 0.005, 0.15)
    angle = np.linspace(0, np.pi, 22)
    rise = radius * rng.uniform(0.9, 1.3)
    bow = np.stack([np.cos(angle) * radius * 0.97, np.zeros(22), height * 0.9 + np.sin(angle) * rise], 1)
    stretch = rng.uniform(1.0, 1.35)
    return [Piece('body', 'print', merged(body, rim).scaled(1, stretch, 1)),
            Piece('handle', str(rng.choice(['main', 'wood', 'accent'])), tube(bow, 0.006, flat=1.5))]


def can(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a tin can: body, lid."""
    sizes = {'food': (0.033, 0.042, 2.2, 2.9), 'tuna': (0.04, 0.05, 0.75, 1.1), 'drink': (0.026, 0.032, 3.4, 4.2)}
    if style not in sizes:
        raise unknown_style('can', style, tuple(sizes))
    low, high, short, tall = sizes[style]
    radius = rng.uniform(low, high)
    height = radius * rng.uniform(short, tall)
    neck = 0.82 if style == 'drink' else 0.97
    body = lathe([[0, 0], [radius * 0.95, 0], [radius, 0.004], [radius, height - 0.012],
                  [radius * neck, height - 0.003], [0, height - 0.003]])
    lid = lathe([[0, height - 0.004], [radius * neck * 1.02, height - 0.004], [radius * neck * 1.02, height],
                 [radius * neck * 0.9, height], [radius * neck * 0.88, height - 0.002], [0, height - 0.002]])
    tab = slab(0.02, 0.012, 0.0025, corner=0.005).moved(x=0.006, z=height - 0.001)
    return [Piece('body', 'print', body), Piece('lid', 'metal', merged(lid, tab))]


def _profile(
    family: str, style: str, table: dict[str, list[tuple[float, float]]]
) -> list[tuple[float, float]]:
    """Look a style up, with an error that names the known ones."""
    if style not in table:
        raise unknown_style(family, style, tuple(table))
    return table[style]
