"""Generated things: fruit, balls, boxes, books, sauce bottles and devices."""

from __future__ import annotations

import numpy as np

from tabletop.meshes import Mesh
from tabletop.meshes import ball as ellipsoid
from tabletop.meshes import lathe
from tabletop.meshes import merged
from tabletop.meshes import slab
from tabletop.meshes import smooth
from tabletop.meshes import tube
from tabletop.shape import Piece
from tabletop.shape import unknown_style


def _check(family: str, style: str, known: tuple[str, ...]) -> None:
    if style not in known:
        raise unknown_style(family, style, known)


def _bumpy(mesh: Mesh, rng: np.random.Generator, amount: float) -> Mesh:
    """Dent a mesh by a few long waves, so that no two fruit are the same."""
    v = mesh.vertices
    size = np.ptp(v, axis=0).max()
    for _ in range(4):
        wave = rng.normal(size=3) * 5 / size
        v = v * (1 + amount * np.sin(v @ wave + rng.uniform(0, 6.28)))[:, None]
    return Mesh(v, mesh.faces)


def apple(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make an apple: body, stem."""
    profiles = {
        'round': [[0, 0.08], [0.35, 0.0], [0.85, 0.25], [1.0, 0.6], [0.8, 0.97], [0.35, 1.03], [0, 0.86]],
        'heart': [[0, 0.06], [0.3, 0.0], [0.65, 0.2], [1.0, 0.7], [0.85, 1.0], [0.4, 1.08], [0, 0.88]],
        'flat': [[0, 0.1], [0.5, 0.0], [0.95, 0.3], [1.0, 0.55], [0.8, 0.85], [0.4, 0.9], [0, 0.72]],
        'tall': [[0, 0.05], [0.4, 0.0], [0.8, 0.3], [0.95, 0.8], [0.8, 1.15], [0.35, 1.22], [0, 1.05]],
    }
    _check('apple', style, tuple(profiles))
    r = rng.uniform(0.03, 0.04)
    profile = np.maximum(smooth(profiles[style], 24), [0, -1])
    body = _bumpy(lathe(profile * np.array([r, 2 * r * 0.92])), rng, 0.015)
    top = body.vertices[np.hypot(body.vertices[:, 0], body.vertices[:, 1]) < 0.004][:, 2].max()
    bend = rng.normal(0, 0.005, 2)
    stalk = tube(smooth([[0, 0, top - 0.003], [0, 0, top + 0.008], [*bend, top + 0.018]], 8), 0.0017, around=8)
    return [Piece('body', 'main', body), Piece('stem', 'stem', stalk)]


def orange(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make an orange: body, stem (a flat green star)."""
    flat = {'round': 0.98, 'flat': 0.8, 'navel': 1.08}
    _check('orange', style, tuple(flat))
    d = rng.uniform(0.062, 0.082)
    high = d * flat[style]
    body = ellipsoid(d, d, high)
    if style == 'navel':
        body = merged(body, ellipsoid(d * 0.3, d * 0.3, d * 0.16).moved(z=-high * 0.47))
    body = _bumpy(body, rng, 0.008)
    body = body.moved(z=-body.vertices[:, 2].min())
    top = body.vertices[:, 2].max()
    star = lathe([[0, -0.002], [0.006, -0.002], [0.004, 0.001], [0, 0.002]], 5).moved(z=top)
    return [Piece('body', 'main', body), Piece('stem', 'stem', star)]


def banana(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a banana lying on its side: body, stem."""
    bends = {'bent': 80.0, 'straight': 35.0, 'short': 65.0, 'hooked': 115.0}
    _check('banana', style, tuple(bends))
    length = rng.uniform(0.1, 0.125) if style == 'short' else rng.uniform(0.15, 0.19)
    span = np.deg2rad(bends[style] * rng.uniform(0.9, 1.1))
    t = np.linspace(-span / 2, span / 2, 26)
    arc = length / span
    r = rng.uniform(0.015, 0.019)
    path = np.stack([arc * np.sin(t), arc * (1 - np.cos(t)), np.full(26, r)], 1)
    u = np.linspace(0, 1, 26)
    radii = r * np.clip(np.minimum((u + 0.02) / 0.22, (1.04 - u) / 0.2), 0.28, 1) ** 0.7
    stalk = tube(smooth([path[-2], path[-1] + [0.008, 0.01, 0], path[-1] + [0.012, 0.02, 0]], 6),
                 np.linspace(r * 0.34, r * 0.26, 6).tolist(), around=8)
    return [Piece('body', 'main', tube(path, radii.tolist(), around=8)), Piece('stem', 'stem', stalk)]


def carrot(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a carrot lying down: body, leaves."""
    shapes = {'long': (0.17, 0.2, 0.014), 'stump': (0.1, 0.12, 0.017), 'fat': (0.13, 0.15, 0.021)}
    _check('carrot', style, tuple(shapes))
    low, high, r = shapes[style]
    length = rng.uniform(low, high)
    u = np.linspace(0, 1, 20)
    end = 0.5 if style == 'stump' else 0.12
    radii = r * np.clip(1 - (1 - end) * u**1.2, 0.05, 1) * np.minimum(1, (u + 0.05) / 0.1) ** 0.5
    radii *= 1 + 0.04 * np.sin(u * rng.uniform(40, 60))
    path = np.stack([u * length, rng.uniform(-0.008, 0.008) * np.sin(u * 3), radii], 1)
    leaves = []
    for k in range(int(rng.integers(4, 7))):
        side = rng.uniform(-0.02, 0.02)
        leaf = smooth([[0.004, 0, r], [-0.025, side * 0.5, r + 0.004], [-0.05, side, 0.006 + 0.002 * k]], 8)
        leaves.append(tube(leaf, np.linspace(0.0028, 0.0045, 8).tolist(), flat=0.5, around=8))
    return [Piece('body', 'main', tube(path, radii.tolist(), around=16)), Piece('leaves', 'stem', merged(*leaves))]


def ball(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a ball: body (a seam or a band in a second colour)."""
    _check('ball', style, ('banded', 'plain', 'seamed', 'oval'))
    d = rng.uniform(0.055, 0.095)
    stretch = 1.45 if style == 'oval' else 1.0
    core = ellipsoid(d * stretch, d, d)
    pieces = [Piece('body', 'print' if style == 'plain' else 'main', core.moved(z=d / 2))]
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    if style != 'plain':
        wobble = 0.5 if style == 'seamed' else 0.0
        lat = wobble * np.sin(2 * angle)
        ring = np.stack([np.cos(angle) * np.cos(lat) * stretch, np.sin(angle) * np.cos(lat), np.sin(lat)], 1) * d / 2
        band = tube(ring, d * (0.02 if style == 'seamed' else 0.05), closed=True, around=8).turned('x', rng.uniform(20, 70))
        pieces.append(Piece('body', str(rng.choice(['accent', 'white', 'dark'])), band.moved(z=d / 2)))
    return pieces


def frisbee(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a flying disc lying rim down: body, rim."""
    _check('frisbee', style, ('flat', 'domed', 'ring'))
    r, h = rng.uniform(0.075, 0.1), rng.uniform(0.014, 0.022)
    dome = 0.008 if style == 'domed' else 0.0015
    hole = r * 0.5 if style == 'ring' else 0.0
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    ring = np.stack([np.cos(angle) * r, np.sin(angle) * r, np.full(48, h / 2)], 1)
    rim = tube(ring, 0.005, flat=h / 0.01, closed=True, around=12)
    if style == 'ring':
        mid = np.stack([np.cos(angle) * (r + hole) / 2, np.sin(angle) * (r + hole) / 2, np.full(48, h - 0.003)], 1)
        top = tube(mid, (r - hole) / 2, flat=0.003 / ((r - hole) / 2), closed=True, around=12)
    else:
        top = lathe([[0, h - 0.004 + dome], [r, h - 0.004], [r, h - 0.001], [0, h + dome]], 48)
    return [Piece('body', 'print' if rng.random() < 0.5 else 'main', top), Piece('rim', 'main', rim)]


def carton(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a drink carton: body, and the top that opens."""
    _check('carton', style, ('gable', 'brick', 'screw'))
    x, y = rng.uniform(0.05, 0.068), rng.uniform(0.05, 0.068)
    h = rng.uniform(0.11, 0.16)
    body = slab(x, y, h, corner=0.003)
    if style == 'gable':
        roof = slab(x, y, 0.03).moved(z=h)
        v = roof.vertices.copy()
        v[v[:, 2] > h + 0.01, 1] *= 0.06
        fin = slab(x, 0.004, 0.014).moved(z=h + 0.029)
        top = merged(Mesh(v, roof.faces), fin)
    elif style == 'brick':
        flap = slab(x * 0.99, y * 0.4, 0.008, corner=0.002, bevel=0.002).moved(z=h + 0.008)
        top = merged(slab(x, y, 0.009, corner=0.003).moved(z=h), flap)
    else:
        screw = lathe([[0, 0], [0.014, 0], [0.014, 0.016], [0, 0.017]]).moved(z=h + 0.011)
        top = merged(slab(x, y, 0.012, corner=0.003, bevel=0.003).moved(z=h), screw)
    return [Piece('body', 'print', body), Piece('top', str(rng.choice(['main', 'white', 'accent'])), top)]


def box(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a cardboard box or package: body."""
    sizes = {'flat': (0.12, 0.08, 0.03), 'cube': (0.08, 0.08, 0.075), 'tall': (0.1, 0.04, 0.14),
             'long': (0.17, 0.05, 0.045)}
    _check('box', style, tuple(sizes))
    x, y, z = np.array(sizes[style]) * rng.uniform(0.85, 1.15, 3)
    tape = slab(x * 1.004, y * 0.14, z * 1.004)
    return [Piece('body', 'print', slab(x, y, z, corner=0.002)), Piece('body', 'accent', tape)]


def sauce_bottle(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a squeeze bottle: body, cap."""
    _check('sauce bottle', style, ('flat', 'round', 'pinched', 'cone'))
    r, h = rng.uniform(0.024, 0.032), rng.uniform(0.12, 0.16)
    side = {
        'flat': [[r, 0.004], [r * 1.05, h * 0.5], [r * 0.95, h * 0.85], [r * 0.55, h]],
        'round': [[r, 0.004], [r, h * 0.5], [r, h * 0.85], [r * 0.5, h]],
        'pinched': [[r, 0.004], [r * 0.8, h * 0.45], [r * 0.95, h * 0.75], [r * 0.5, h]],
        'cone': [[r * 1.1, 0.004], [r, h * 0.35], [r * 0.75, h * 0.75], [r * 0.5, h]],
    }[style]
    squash = 0.65 if style in ('flat', 'pinched') else 1.0
    curve = smooth(side, 20)
    body = lathe([[0, 0], [r * 0.9, 0], *curve, [0, h]], squash=squash)
    neck = curve[-1, 0]
    nozzle = style in ('cone', 'round')
    tip = [[neck * 0.5, 0.016], [0.003, 0.038], [0, 0.038]] if nozzle else [[neck, 0.024], [0, 0.026]]
    cap = lathe([[0, -0.002], [neck * 1.08, -0.002], [neck * 1.02, 0.014], *tip]).moved(z=h)
    return [Piece('body', 'print', body), Piece('cap', str(rng.choice(['accent', 'white', 'dark', 'main'])), cap)]


def book(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a closed book lying down: cover, pages (body), spine."""
    sizes = {'paperback': (0.11, 0.16, 0.018), 'hardback': (0.14, 0.19, 0.034), 'square': (0.16, 0.16, 0.024),
             'notebook': (0.12, 0.17, 0.01)}
    _check('book', style, tuple(sizes))
    x, y, z = np.array(sizes[style]) * rng.uniform(0.88, 1.12, 3)
    lip = 0.004 if style == 'hardback' else 0.001
    pages = slab(x - 2 * lip, y - 2 * lip, z - 0.003).moved(z=0.0015)
    lids = merged(slab(x, y, 0.002), slab(x, y, 0.002).moved(z=z - 0.002))
    spine = slab(0.003, y, z).moved(x=-x / 2)
    return [Piece('pages', 'white', pages), Piece('cover', 'print', lids), Piece('spine', 'main', spine)]


def phone(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a phone lying face up: body, screen, buttons."""
    _check('phone', style, ('smart', 'wide', 'keypad'))
    x, y, z = rng.uniform(0.062, 0.074), rng.uniform(0.13, 0.155), rng.uniform(0.008, 0.011)
    if style == 'wide':
        x, y = y * 0.8, y
    if style == 'keypad':
        x, y, z = x * 0.72, y * 0.85, 0.015
    body = slab(x, y, z, corner=0.01, bevel=0.002)
    if style == 'keypad':
        screen = slab(x * 0.8, y * 0.36, 0.001).moved(y=y * 0.22, z=z - 0.0002)
        keys = merged(*[slab(x * 0.2, y * 0.07, 0.002, corner=0.002).moved(x=a * x * 0.27, y=y * b, z=z - 0.0003)
                        for a in (-1, 0, 1) for b in (-0.06, -0.16, -0.26, -0.36)])
        return [Piece('body', 'main', body), Piece('screen', 'screen', screen), Piece('buttons', 'white', keys)]
    screen = slab(x * 0.92, y * rng.uniform(0.86, 0.94), 0.001, corner=0.007).moved(z=z - 0.0002)
    key = slab(0.003, y * 0.1, z * 0.4).moved(x=x / 2, y=y * 0.2, z=z * 0.3)
    return [Piece('body', 'main', body), Piece('screen', 'screen', screen), Piece('buttons', 'accent', key)]


def camera(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a photo camera: body, lens, button."""
    _check('camera', style, ('compact', 'reflex', 'boxy'))
    x, y, z = rng.uniform(0.09, 0.12), rng.uniform(0.032, 0.045), rng.uniform(0.06, 0.078)
    if style == 'boxy':
        x = z * 1.15
    body = slab(x, y, z, corner=0.008, bevel=0.004)
    if style == 'reflex':
        hump = slab(x * 0.35, y * 0.9, 0.018, corner=0.006, bevel=0.004).moved(z=z - 0.002)
        body = merged(body, hump)
    reach = {'compact': 0.022, 'reflex': 0.048, 'boxy': 0.016}[style] * rng.uniform(0.9, 1.2)
    r = z * rng.uniform(0.3, 0.38)
    lens = lathe([[0, 0], [r, 0], [r, reach * 0.6], [r * 0.88, reach], [r * 0.7, reach], [r * 0.66, reach - 0.006],
                  [0, reach - 0.008]], 32).turned('x', 90).moved(y=-y / 2 + 0.002, z=z * 0.48)
    button = lathe([[0, 0], [0.007, 0], [0.007, 0.006], [0, 0.007]], 20).moved(x=x * 0.34, z=z - 0.001)
    return [Piece('body', 'main', body), Piece('lens', 'dark', lens),
            Piece('button', str(rng.choice(['metal', 'accent'])), button)]


def _keys(x: float, y: float, cols: int, rows: int, height: float) -> Mesh:
    step_x, step_y = x / cols, y / rows
    keys = [slab(step_x * 0.82, step_y * 0.82, height, bevel=height * 0.3)
            .moved(x=(i - (cols - 1) / 2) * step_x, y=(j - (rows - 1) / 2) * step_y)
            for i in range(cols) for j in range(1, rows)]
    bar = slab(x * 0.45, step_y * 0.82, height, bevel=height * 0.3).moved(y=-(rows - 1) / 2 * step_y)
    ends = [slab(x * 0.22, step_y * 0.82, height, bevel=height * 0.3).moved(x=s * x * 0.37, y=-(rows - 1) / 2 * step_y)
            for s in (-1, 1)]
    return merged(*keys, bar, *ends)


def keyboard(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make a keyboard: body, keys."""
    sizes = {'compact': (0.22, 0.085, 11, 5), 'full': (0.31, 0.1, 16, 5), 'pad': (0.09, 0.11, 4, 5)}
    _check('keyboard', style, tuple(sizes))
    x, y, cols, rows = sizes[style]
    x, y = x * rng.uniform(0.92, 1.08), y * rng.uniform(0.92, 1.08)
    body = slab(x, y, 0.012, corner=0.006, bevel=0.002)
    keys = _keys(x * 0.94, y * 0.88, cols, rows, 0.006).moved(z=0.011)
    return [Piece('body', 'main', body), Piece('keys', str(rng.choice(['white', 'dark', 'accent'])), keys)]


def laptop(rng: np.random.Generator, style: str) -> list[Piece]:
    """Make an open laptop: body, keys, screen."""
    _check('laptop', style, ('thin', 'thick', 'small'))
    x, y = rng.uniform(0.24, 0.28), rng.uniform(0.165, 0.19)
    if style == 'small':
        x, y = x * 0.75, y * 0.78
    z = 0.02 if style == 'thick' else 0.01
    tilt = rng.uniform(95, 115)
    base = slab(x, y, z, corner=0.008, bevel=0.002)
    keys = _keys(x * 0.88, y * 0.46, 12, 5, 0.003).moved(y=y * 0.18, z=z - 0.0005)
    pad = slab(x * 0.3, y * 0.26, 0.001, corner=0.003).moved(y=-y * 0.28, z=z - 0.0004)
    lid = slab(x, y * 0.96, 0.006, corner=0.008, bevel=0.001).moved(y=-y * 0.48)
    face = slab(x * 0.92, y * 0.82, 0.001).moved(y=-y * 0.49, z=0.0058)

    def hinged(mesh: Mesh) -> Mesh:
        return mesh.turned('x', -tilt).moved(y=y / 2 - 0.004, z=z)

    return [Piece('body', 'main', merged(base, hinged(lid))), Piece('body', 'dark', pad),
            Piece('keys', str(rng.choice(['dark', 'white'])), keys), Piece('screen', 'screen', hinged(face))]
