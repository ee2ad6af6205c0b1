"""Generated implements: cutlery, kitchen tools, hand tools, brushes, pens, bats and rackets.

All lie flat along +x with the end that is held at x = 0. Styles shape the working end, so that
a held-out style is new geometry where it matters.
"""

from __future__ import annotations

import numpy as np

from tabletop.meshes import Mesh
from tabletop.meshes import ball
from tabletop.meshes import lathe
from tabletop.meshes import merged
from tabletop.meshes import prism
from tabletop.meshes import slab
from tabletop.meshes import smooth
from tabletop.meshes import tube
from tabletop.shape import Piece
from tabletop.shape import unknown_style


def _check(family: str, style: str, known: tuple[str, ...]) -> None:
    if style not in known:
        raise unknown_style(family, style, known)


def _grip(rng: np.random.Generator, length: float, thick: float, flat: float = 0.7) -> Mesh:
    """Make a handle along +x from 0 to `length`, lying on z = 0."""
    knots = 6
    swell = np.r_[0.75, rng.uniform(0.85, 1.15, knots - 2), rng.uniform(0.7, 0.95)]
    radii = smooth(np.c_[swell, swell], 18)[:, 0] * thick
    path = np.stack([np.linspace(0, length, 18), np.zeros(18), np.full(18, thick * flat)], 1)
    return tube(path, radii.tolist(), flat=flat)


def _cutlery_handle(rng: np.random.Generator, length: float) -> Mesh:
    """Make a flat metal handle along +x that widens towards its free end."""
    wide, thin = rng.uniform(0.006, 0.009), rng.uniform(0.003, 0.0042)
    radii = np.linspace(wide, thin, 14)
    path = np.stack([np.linspace(0, length, 14), np.zeros(14), np.full(14, 0.004)], 1)
    return tube(path, radii.tolist(), flat=0.35)


def _handle_role(rng: np.random.Generator) -> str:
    return str(rng.choice(['main', 'wood', 'dark']))


def _blade(outline: list[list[float]], thick: float = 0.0022) -> Mesh:
    return prism(outline, 0.002, 0.002 + thick)


def knife(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a knife: handle, blade."""
    _check('knife', style, ('chef', 'table', 'paring', 'bread'))
    small = style in ('table', 'paring')
    hold = rng.uniform(0.09, 0.11)
    reach = rng.uniform(0.08, 0.11) if small else rng.uniform(0.13, 0.18)
    w = rng.uniform(0.008, 0.011) if small else rng.uniform(0.013, 0.02)
    x = hold - 0.004
    outline = {
        'chef': [[x, w], [x + 0.7 * reach, w], [x + reach, 0], [x + 0.8 * reach, -0.6 * w],
                 [x + 0.5 * reach, -w], [x, -w]],
        'table': [[x, 0.6 * w], [x + 0.3 * reach, w], [x + 0.9 * reach, w], [x + reach, 0.2 * w],
                  [x + 0.85 * reach, -w], [x, -0.7 * w]],
        'paring': [[x, w], [x + 0.6 * reach, 0.8 * w], [x + reach, -0.4 * w], [x, -w]],
        'bread': [[x, w], [x + reach, w], [x + reach, 0.1 * w],
                  *[[x + reach * (1 - t), -w * (0.85 + 0.25 * (k % 2))]
                    for k, t in enumerate(np.linspace(0.05, 1, 16))]],
    }[style]
    metal_grip = style == 'table' and rng.random() < 0.6
    handle = _cutlery_handle(rng, hold) if metal_grip else _grip(rng, hold, rng.uniform(0.0075, 0.0105))
    role = 'metal' if metal_grip else _handle_role(rng)
    return [Piece('handle', role, handle), Piece('blade', 'metal', _blade(outline))]


def cleaver(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a cleaver: handle, a broad blade."""
    _check('cleaver', style, ('butcher', 'chinese', 'hooked'))
    hold, reach = rng.uniform(0.1, 0.12), rng.uniform(0.14, 0.18)
    w = rng.uniform(0.032, 0.045)
    x = hold - 0.006
    outline = {
        'butcher': [[x, 0.012], [x + reach, 0.012], [x + reach, -2 * w + 0.02], [x + 0.02, -2 * w + 0.02],
                    [x, -0.012]],
        'chinese': [[x, 0.014], [x + 0.95 * reach, 0.014], [x + reach, -w], [x + 0.95 * reach, -1.7 * w],
                    [x + 0.015, -1.8 * w], [x, -0.012]],
        'hooked': [[x, 0.012], [x + reach, 0.03], [x + reach, -1.2 * w], [x + 0.7 * reach, -1.7 * w],
                   [x + 0.03, -1.5 * w], [x, -0.012]],
    }[style]
    return [Piece('handle', _handle_role(rng), _grip(rng, hold, rng.uniform(0.01, 0.013))),
            Piece('blade', 'metal', _blade(outline, 0.003))]


def fork(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a fork: handle, tines."""
    _check('fork', style, ('four', 'three', 'two', 'wide'))
    count = {'four': 4, 'three': 3, 'two': 2, 'wide': 4}[style]
    hold, reach = rng.uniform(0.1, 0.13), rng.uniform(0.045, 0.06)
    half = rng.uniform(0.014, 0.017) if style == 'wide' else rng.uniform(0.01, 0.013)
    root = prism([[hold - 0.004, 0.003], [hold + 0.014, half], [hold + 0.02, half], [hold + 0.02, -half],
                  [hold + 0.014, -half], [hold - 0.004, -0.003]], 0.003, 0.0055)
    rods = []
    for y in np.linspace(-half + 0.0017, half - 0.0017, count):
        bend = [[hold + 0.018, y, 0.0045], [hold + reach * 0.6, y, 0.003], [hold + reach, y, 0.007]]
        rods.append(tube(smooth(bend, 8), np.linspace(0.0021, 0.0011, 8).tolist(), around=8))
    wooden = rng.random() < 0.3
    handle = _grip(rng, hold, 0.0075) if wooden else _cutlery_handle(rng, hold)
    return [Piece('handle', _handle_role(rng) if wooden else 'metal', handle),
            Piece('tines', 'metal', merged(root, *rods))]


def _dish(length: float, width: float, depth: float) -> Mesh:
    """Make a shallow hollow ellipse centred on the origin, open upwards."""
    profile = [[0, 0], [0.45, 0.06], [0.8, 0.4], [1, 1], [0.93, 1], [0.74, 0.5], [0.4, 0.2], [0, 0.15]]
    return lathe(profile, 28).scaled(length / 2, width / 2, depth)


def spoon(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a spoon: handle, scoop."""
    _check('spoon', style, ('oval', 'round', 'wooden', 'pointed'))
    hold = rng.uniform(0.17, 0.2) if style == 'wooden' else rng.uniform(0.1, 0.14)
    long = rng.uniform(0.05, 0.062)
    wide = long * {'oval': 0.66, 'round': 0.95, 'wooden': 0.75, 'pointed': 0.55}[style]
    scoop = _dish(long, wide, rng.uniform(0.007, 0.011)).moved(x=hold + long / 2 - 0.004)
    if style == 'pointed':
        v = scoop.vertices.copy()
        t = np.clip((v[:, 0] - hold) / long, 0, 1)
        v[:, 1] *= 1 - 0.5 * t**2
        scoop = Mesh(v, scoop.faces)
    role = 'wood' if style == 'wooden' else 'metal'
    wooden = style == 'wooden'
    handle = _grip(rng, hold, 0.006, 0.9) if wooden else _cutlery_handle(rng, hold)
    return [Piece('handle', role, handle), Piece('scoop', role, scoop)]


def ladle(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a ladle: handle, a deep scoop."""
    _check('ladle', style, ('deep', 'wide', 'oval'))
    across = rng.uniform(0.06, 0.075) if style != 'wide' else rng.uniform(0.075, 0.09)
    depth = {'deep': 0.032, 'wide': 0.022, 'oval': 0.026}[style] * rng.uniform(0.9, 1.1)
    hold = rng.uniform(0.15, 0.19)
    scoop = _dish(across, across * (0.7 if style == 'oval' else 1.0), depth).moved(x=hold + across / 2)
    path = smooth([[0, 0, depth * 1.25], [hold * 0.6, 0, depth * 1.5], [hold + 0.006, 0, depth * 0.95]], 16)
    role = str(rng.choice(['main', 'metal', 'wood', 'dark']))
    handle = tube(path, np.linspace(0.008, 0.0045, 16).tolist(), flat=0.6)
    handle = handle.moved(z=-min(0.0, handle.vertices[:, 2].min()))
    return [Piece('handle', role, handle), Piece('scoop', role if role != 'dark' else 'metal', scoop)]


def spatula(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a turner: handle, head."""
    _check('spatula', style, ('plain', 'flared', 'slotted', 'rounded'))
    hold, reach = rng.uniform(0.14, 0.18), rng.uniform(0.07, 0.09)
    w = rng.uniform(0.026, 0.036)
    x = hold - 0.005
    if style == 'slotted':
        bars = [slab(reach * 0.75, w * 0.3, 0.003).moved(x=x + 0.02 + reach * 0.37, y=y)
                for y in np.linspace(-w * 0.85, w * 0.85, 4)]
        ends = [slab(0.012, 2 * w, 0.003).moved(x=x + 0.02 + reach * k) for k in (0.0, 0.75)]
        head = merged(*bars, *ends, slab(0.03, 0.012, 0.003).moved(x=x + 0.008))
    else:
        front = {'plain': 1.0, 'flared': 1.35, 'rounded': 0.85}[style]
        outline = [[x, 0.005], [x + 0.02, 0.8 * w], [x + reach, front * w], [x + reach, -front * w],
                   [x + 0.02, -0.8 * w], [x, -0.005]]
        if style == 'rounded':
            arc = np.linspace(np.pi / 2, -np.pi / 2, 9)
            outline[2:4] = [[x + reach - 0.02 + 0.03 * np.cos(a), w * np.sin(a)] for a in arc]
        head = prism(outline, 0.0, 0.003)
    return [Piece('handle', _handle_role(rng), _grip(rng, hold, rng.uniform(0.007, 0.009))),
            Piece('head', str(rng.choice(['dark', 'main', 'metal', 'wood'])), head.moved(z=0.003))]


def scissors(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make open scissors: handle (two loops), blade (two)."""
    _check('scissors', style, ('round', 'oval', 'shears', 'slim'))
    reach = {'round': 0.08, 'oval': 0.1, 'shears': 0.12, 'slim': 0.09}[style] * rng.uniform(0.9, 1.1)
    loop = {'round': (0.02, 0.02), 'oval': (0.028, 0.019), 'shears': (0.034, 0.018), 'slim': (0.018, 0.014)}[style]
    half = rng.uniform(8, 22)
    w = 0.006 if style == 'slim' else 0.009
    role = str(rng.choice(['main', 'main', 'dark']))
    loops, blades = [], []
    for side in (-1, 1):
        blade = prism([[-0.01, -w * 0.6], [0, w], [reach, 0], [0.3 * reach, -w * 0.9]], 0, 0.0018)
        blades.append(blade.turned('z', side * half / 2).moved(z=0.004 + 0.001 * side))
        angle = np.linspace(0, 2 * np.pi, 22, endpoint=False)
        ring = np.stack([-0.045 - loop[0] + loop[0] * np.cos(angle), loop[1] * np.sin(angle), 0 * angle], 1)
        shank = tube([[-0.005, 0, 0], [-0.03, 0, 0], [-0.05, 0, 0]], 0.0045, flat=0.8)
        one = merged(tube(ring, 0.0045, closed=True, around=10), shank)
        loops.append(one.turned('z', -side * half / 2).moved(y=side * -0.001, z=0.0046))
    spread = 0.011
    moved = [m.moved(y=s * spread * 0.4) for m, s in zip(loops, (1, -1), strict=True)]
    return [Piece('handle', role, merged(*moved)), Piece('blade', 'metal', merged(*blades))]


def hammer(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a hammer: handle, head."""
    _check('hammer', style, ('claw', 'mallet', 'ball', 'sledge'))
    hold = rng.uniform(0.19, 0.25)
    thick = rng.uniform(0.009, 0.012)
    across = rng.uniform(0.08, 0.1)
    rise = 0.014
    if style == 'mallet':
        head = lathe([[0, -0.5], [1, -0.5], [1, 0.5], [0, 0.5]], 24).scaled(0.024, 0.024, across).turned('x', 90)
        rise = 0.024
    elif style == 'sledge':
        head = slab(0.036, across, 0.036, corner=0.006, bevel=0.004).moved(z=-0.018)
        rise = 0.018
    else:
        face = lathe([[0, 0], [1, 0], [1, 0.5], [0.7, 0.6], [0.7, 1], [0, 1]], 20)
        face = face.scaled(0.014, 0.014, across * 0.5).turned('x', -90).moved(y=-across * 0.5)
        eye = slab(0.024, 0.024, 0.024, bevel=0.003).moved(z=-0.012)
        if style == 'claw':
            claws = [tube(smooth([[d * 0.4, 0.008, 0.002], [d, across * 0.3, 0], [d * 1.3 - 0.012, across * 0.52, -0.003]], 8),
                          np.linspace(0.007, 0.003, 8).tolist(), flat=0.7) for d in (-0.006, 0.006)]
            head = merged(face, eye, *claws)
        else:
            head = merged(face, eye, ball(0.03, 0.03, 0.028).moved(y=across * 0.3))
    handle = _grip(rng, hold, thick, 0.85)
    lift = rise - thick * 0.85
    handle = Mesh(handle.vertices + np.c_[0 * handle.vertices[:, :2], lift * handle.vertices[:, 0] / hold],
                  handle.faces)
    role = 'wood' if style == 'mallet' and rng.random() < 0.6 else str(rng.choice(['metal', 'dark']))
    return [Piece('handle', str(rng.choice(['main', 'wood'])), handle),
            Piece('head', role, head.moved(x=hold, z=rise))]


def axe(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a hatchet: handle, head."""
    _check('axe', style, ('bearded', 'felling', 'double'))
    hold = rng.uniform(0.23, 0.29)
    w = rng.uniform(0.05, 0.065)
    one = {
        'bearded': [[-0.016, -0.014], [0.016, -0.014], [0.02, 0.01], [0.022, w], [-0.055, w], [-0.018, 0.012]],
        'felling': [[-0.016, -0.016], [0.016, -0.016], [0.018, 0.01], [0.034, w], [0, w + 0.006], [-0.034, w],
                    [-0.018, 0.01]],
        'double': [[-0.036, -w], [0, -w - 0.006], [0.036, -w], [0.015, 0], [0.036, w], [0, w + 0.006],
                   [-0.036, w], [-0.015, 0]],
    }[style]
    head = prism(one, -0.008, 0.008).moved(x=hold - 0.012, z=0.013)
    v = head.vertices.copy()
    edge = np.clip(np.abs(v[:, 1]) / w, 0, 1)
    v[:, 2] = 0.013 + (v[:, 2] - 0.013) * (1 - 0.85 * edge)
    return [Piece('handle', str(rng.choice(['wood', 'main'])), _grip(rng, hold, rng.uniform(0.01, 0.013), 0.85)),
            Piece('head', 'metal', Mesh(v, head.faces))]


def _bristles(x: float, length: float, width: float, height: float, step: float) -> Mesh:
    tufts = [slab(step * 0.7, step * 0.7, height).moved(x=a, y=b)
             for a in np.arange(x, x + length, step) for b in np.arange(-width / 2, width / 2 + 1e-6, step)]
    return merged(*tufts)


def toothbrush(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a toothbrush lying on its back: handle, bristles."""
    _check('toothbrush', style, ('straight', 'bent', 'fat', 'slim'))
    hold = rng.uniform(0.14, 0.165)
    thick = {'straight': 0.0062, 'bent': 0.006, 'fat': 0.0095, 'slim': 0.0045}[style]
    dip = 0.006 if style == 'bent' else 0.0
    path = smooth([[0, 0, thick * 0.7 + dip], [hold * 0.4, 0, thick * 0.7], [hold * 0.72, 0, thick * 0.6 + dip],
                   [hold, 0, thick * 0.6], [hold + 0.028, 0, thick * 0.6]], 22)
    radii = smooth(np.c_[[thick, thick * 1.2, thick * 0.6, 0.0062, 0.0058]] .repeat(2, 1), 22)[:, 0]
    handle = tube(path, radii.tolist(), flat=0.65)
    tufts = _bristles(hold - 0.004, 0.03, 0.0085, rng.uniform(0.01, 0.013), 0.0042).moved(z=thick * 0.8)
    return [Piece('handle', 'main', handle), Piece('bristles', str(rng.choice(['white', 'accent'])), tufts)]


def paintbrush(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a flat or round paint brush: handle, bristles (and a metal ferrule, body)."""
    _check('paintbrush', style, ('flat', 'broad', 'round'))
    hold = rng.uniform(0.1, 0.13)
    w = {'flat': 0.016, 'broad': 0.028, 'round': 0.009}[style] * rng.uniform(0.9, 1.15)
    flat = 0.9 if style == 'round' else 0.32
    height = w * flat
    ferrule = tube([[hold - 0.006, 0, height], [hold + 0.01, 0, height], [hold + 0.022, 0, height]],
                   [0.009 if w > 0.012 else 0.006, w, w], flat=flat)
    hair = tube(smooth([[hold + 0.02, 0, height], [hold + 0.045, 0, height], [hold + 0.065, 0, height * 0.8]], 8),
                np.r_[np.full(5, w * 0.95), w * 0.9, w * 0.8, w * (0.3 if style == 'round' else 0.75)].tolist(),
                flat=flat)
    return [Piece('handle', str(rng.choice(['main', 'wood'])), _grip(rng, hold, rng.uniform(0.006, 0.009), 0.7)),
            Piece('body', 'metal', ferrule), Piece('bristles', str(rng.choice(['wood', 'dark', 'white'])), hair)]


def pen(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a pen: barrel (body), grip (where fingers go), tip."""
    _check('pen', style, ('ballpoint', 'marker', 'fountain', 'slim'))
    r = {'ballpoint': 0.0052, 'marker': 0.0085, 'fountain': 0.0065, 'slim': 0.004}[style] * rng.uniform(0.9, 1.1)
    hold = rng.uniform(0.085, 0.1)
    body = lathe([[0, 0], [0.7 * r, 0], [r, 0.006], [r, hold], [0, hold]], 16)
    grip_long = rng.uniform(0.03, 0.038)
    grip = lathe([[0, hold], [r * 1.06, hold], [r * 1.1, hold + grip_long * 0.6], [r * 0.8, hold + grip_long],
                  [0, hold + grip_long]], 16)
    end = hold + grip_long
    tip = lathe([[0, end], [r * 0.75, end], [r * 0.22, end + 0.013], [0, end + 0.015]], 16)
    clip = slab(0.045, 0.0035, 0.002).turned('y', -90).moved(x=r + 0.002, z=0.008) if style != 'marker' else None
    stand = [Piece('body', 'main', body if clip is None else merged(body, clip)),
             Piece('grip', str(rng.choice(['dark', 'accent', 'main'])), grip),
             Piece('tip', str(rng.choice(['metal', 'dark'])), tip)]
    return [Piece(p.part, p.role, p.mesh.turned('y', 90).moved(z=r * 1.1)) for p in stand]


def pencil(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a pencil: body, grip (where fingers go), tip, and an eraser for some."""
    _check('pencil', style, ('hexagonal', 'round', 'triangular'))
    around = {'hexagonal': 6, 'round': 16, 'triangular': 3}[style]
    r, hold = rng.uniform(0.004, 0.0055), rng.uniform(0.09, 0.13)
    body = lathe([[0, 0], [r, 0], [r, hold], [0, hold]], around)
    grip = lathe([[0, hold], [r, hold], [r, hold + 0.034], [0, hold + 0.034]], around)
    end = hold + 0.034
    tip = lathe([[0, end], [r, end], [0.0008, end + 0.02], [0, end + 0.0201]], around)
    eraser = lathe([[0, -0.012], [r * 0.95, -0.012], [r * 0.95, 0.001], [0, 0.001]], 16)
    stand = [Piece('body', 'main', body), Piece('grip', 'main', grip), Piece('tip', 'wood', tip),
             Piece('body', 'accent', eraser)]
    return [Piece(p.part, p.role, p.mesh.turned('y', 90).moved(z=r)) for p in stand]


def tennis_racket(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a small racket: handle, frame and strings (head)."""
    _check('tennis racket', style, ('oval', 'round', 'teardrop', 'paddle'))
    hold = rng.uniform(0.1, 0.13)
    rx = rng.uniform(0.07, 0.085)
    ry = rx * {'oval': 0.76, 'round': 0.97, 'teardrop': 0.8, 'paddle': 0.9}[style]
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    taper = 1 + (0.22 * np.cos(angle) if style == 'teardrop' else 0 * angle)
    mid = hold + rx + 0.02
    ring = np.stack([mid + rx * np.cos(angle), ry * np.sin(angle) * taper, np.full(40, 0.006)], 1)
    parts = [tube(ring, 0.0055, closed=True, around=10)]
    role = 'main'
    if style == 'paddle':
        parts.append(prism(ring[:, :2], 0.002, 0.01))
    else:
        for k in np.linspace(-0.82, 0.82, 9):
            y = ry * np.sqrt(1 - k**2) * (1 + (0.22 * k if style == 'teardrop' else 0))
            parts.append(slab(0.0022, 2 * y, 0.002).moved(x=mid + rx * k, z=0.005))
            parts.append(slab(2 * rx * np.sqrt(1 - k**2), 0.0022, 0.002).moved(x=mid, y=ry * k, z=0.0056))
    parts.append(prism([[hold - 0.005, 0.005], [hold + 0.03, 0.016], [hold + 0.03, -0.016],
                        [hold - 0.005, -0.005]], 0.003, 0.009))
    return [Piece('handle', str(rng.choice(['dark', 'wood', 'accent'])), _grip(rng, hold, 0.011, 0.8)),
            Piece('head', role, merged(*parts))]


def baseball_bat(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a small bat: handle with a knob, barrel (body)."""
    _check('baseball bat', style, ('classic', 'slim', 'club'))
    hold, reach = rng.uniform(0.12, 0.15), rng.uniform(0.15, 0.19)
    thin = rng.uniform(0.008, 0.01)
    fat = thin * {'classic': 2.2, 'slim': 1.7, 'club': 2.9}[style]
    bend = {'classic': 0.45, 'slim': 0.7, 'club': 0.25}[style]
    handle = lathe([[0, 0], [thin * 1.7, 0.002], [thin * 1.7, 0.009], [thin, 0.016], [thin, hold], [0, hold]], 24)
    side = smooth([[thin, hold], [thin + (fat - thin) * 0.6, hold + reach * bend], [fat, hold + reach * 0.85],
                   [fat * 0.75, hold + reach]], 16)
    barrel = lathe([[0, hold], *side, [0, hold + reach + 0.004]], 24)
    role = str(rng.choice(['main', 'wood']))
    pieces = [Piece('handle', str(rng.choice([role, 'dark', 'accent'])), handle), Piece('body', role, barrel)]
    return [Piece(p.part, p.role, p.mesh.turned('y', 90).moved(z=fat)) for p in pieces]
