# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Fetch open_clip's published weights: the local hub cache, then a download over TLS, checked."""

import contextlib
import re
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path

import open_clip

from affordance_ros.model.download import told_download
from affordance_ros.safe_io.files import sha256_of_file

_REACH_S = 5.0
_HUB_FILES = ('open_clip_model.safetensors', 'open_clip_pytorch_model.bin')
_SHA256 = re.compile(r'[0-9a-f]{64}')


class FetchError(RuntimeError):
    """Weights could not be fetched, or are not those that were published."""


def fetch(config: Mapping[str, object], files: Sequence[str] = ()) -> Path:
    """Return a local file with published weights.

    Args:
        config: open_clip's entry for them, with `hf_hub` and `url`.
        files: Names that they may have at the hub, the best first; open_clip's by default.

    Raises:
        FetchError: If there is no way to them, the way is not encrypted, or what came has another
            sha256 than its publisher says; the text says what was tried.
    """
    from huggingface_hub import constants  # slow to import, and rarely needed
    from huggingface_hub import try_to_load_from_cache

    repo, url = str(config.get('hf_hub', '')).rstrip('/'), str(config.get('url', ''))
    names = files or _HUB_FILES
    tried = []
    if repo:
        for filename in names:
            cached = try_to_load_from_cache(repo, filename)
            if isinstance(cached, str):
                return _verified(Path(cached), url)
        tried.append(f'the local hub cache (for {repo})')
    origin = constants.ENDPOINT if repo else url
    folder = Path(constants.HF_HUB_CACHE if repo else '~/.cache/clip').expanduser()
    if repo:
        folder /= f'models--{repo.replace("/", "--")}'
    if not origin.startswith('https://'):
        raise FetchError(f'{origin} is not https: weights are fetched over TLS alone')
    tried.append(f'a download of {repo or url}')
    try:
        with contextlib.ExitStack() as telling:
            if not constants.HF_HUB_OFFLINE:
                _reach(origin)
                telling.enter_context(
                    told_download(repo or url, folder, _size(repo, url, names[0]))
                )
            path = _download(config, repo, files)
    except Exception as error:
        # The hub client raises errors of many libraries; whichever it is, the advice is one.
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise FetchError(f'tried {" and ".join(tried)}, which failed with "{reason}"') from error
    return _verified(path, url)


def _download(config: Mapping[str, object], repo: str, files: Sequence[str]) -> Path:
    """Download what a configuration says, or the first of several files that the hub has."""
    named: list[dict[str, object]] = [{'hf_hub': f'{repo}/{name}'} for name in files]
    *others, last = named or [dict(config)]
    for attempt in others:
        with contextlib.suppress(FileNotFoundError):
            return Path(open_clip.download_pretrained(attempt))
    return Path(open_clip.download_pretrained(last))


def _reach(origin: str) -> None:
    """Try once to reach a server: the hub's client retries for a minute, with a line for each.

    Raises:
        OSError: If nothing answers.
    """
    try:
        urllib.request.urlopen(
            urllib.request.Request(origin, method='HEAD'), timeout=_REACH_S
        ).close()
    except urllib.error.HTTPError:
        return  # an answer, whatever it says
    except urllib.error.URLError as error:
        # Certificates are the client's affair, which may know others.
        if not isinstance(error.reason, ssl.SSLError):
            raise


def _size(repo: str, url: str, name: str) -> int | None:
    """Ask once how many bytes a download has; None if nobody says."""
    from huggingface_hub import get_hf_file_metadata
    from huggingface_hub import hf_hub_url

    try:
        if repo:
            found = get_hf_file_metadata(hf_hub_url(repo, name), timeout=_REACH_S)
            return found.size
        request = urllib.request.Request(url, method='HEAD')
        with urllib.request.urlopen(request, timeout=_REACH_S) as answer:
            return int(answer.headers.get('Content-Length', 0)) or None
    except Exception:
        # It is told to people alone, and whatever is wrong the download itself will say.
        return None


def _verified(path: Path, url: str) -> Path:
    """Return the file if its sha256 is the published one.

    The hub's cache names a file by the sha256 that the hub has announced for it; OpenAI's
    addresses contain the sha256, and open_clip's end in its first digits.
    """
    expected = path.resolve().name
    if not _SHA256.fullmatch(expected):
        *_, folder, name = ('', *url.split('/'))
        expected = folder if _SHA256.fullmatch(folder) else name.rpartition('.')[0][-8:]
        if path.name != name or not re.fullmatch('[0-9a-f]{8,64}', expected):
            raise FetchError(
                f'{path} can not be checked: neither its name in the hub cache nor its address '
                f'says its sha256; if you trust it, give its path'
            )
    digest = sha256_of_file(path)
    if not digest.startswith(expected):
        raise FetchError(
            f'{path} has sha256 {digest}, and {expected} was published: it is damaged or not what '
            f'it says; remove it and fetch it again'
        )
    return path
