# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Bags read and written message by message through rosbags: needs no ROS."""

import shutil
from collections.abc import Collection
from collections.abc import Iterator
from contextlib import ExitStack
from contextlib import contextmanager
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rosbags.highlevel import AnyReader
from rosbags.interfaces import Connection
from rosbags.interfaces import ConnectionExtRosbag2
from rosbags.interfaces import MessageDefinitionFormat
from rosbags.rosbag2 import CompressionFormat
from rosbags.rosbag2 import CompressionMode
from rosbags.rosbag2 import StoragePlugin
from rosbags.rosbag2 import Writer
from rosbags.typesys import Stores
from rosbags.typesys import TypesysError
from rosbags.typesys import get_typestore

from affordance_ros.bag.topics import CAMERA_INFO
from affordance_ros.bag.topics import COMPRESSED
from affordance_ros.bag.topics import IMAGE
from affordance_ros.bag.topics import TopicFacts
from affordance_ros.bag.topics import choose_images
from affordance_ros.bag.topics import describe
from affordance_ros.image.source_frame import SourceError

READABLE = ('.mcap', '.db3')
_REFUSED_OUTPUT = ('.bag', '.db3', '.zstd')


@dataclass(frozen=True)
class BagMessage:
    """One message as it is stored.

    Attributes:
        connection: Its topic and type.
        log_ns: When it was recorded, in nanoseconds.
        raw: Its CDR bytes.
    """

    connection: Connection
    log_ns: int
    raw: bytes


class InputBag:
    """An open bag with the topic of images that is to be read.

    Args:
        reader: The open reader.
        path: For error texts.
        topic: The topic of images; empty for the only one there is.
        option: What the option is called that names the topic.

    Raises:
        SourceError: If there is no such topic, or several and none is named.
    """

    def __init__(self, reader: AnyReader, path: Path, topic: str, option: str) -> None:
        self._reader = reader
        self._path = path
        self.facts = {c.topic: self._describe(c) for c in reader.connections}
        self.topic = choose_images(self.facts, topic, str(path), option)

    @property
    def start_ns(self) -> int:
        """The log time of the first message in nanoseconds, from which `--at` counts."""
        return self._reader.start_time

    def count(self, *, everything: bool, beside: Collection[str] = ()) -> int:
        """Return how many messages `messages` will give."""
        return sum(connection.msgcount for connection in self._wanted(everything, beside))

    def messages(self, *, everything: bool, beside: Collection[str] = ()) -> Iterator[BagMessage]:
        """Yield messages in the order of the bag.

        Args:
            everything: Those of all topics; else those of the topic of images alone.
            beside: More topics to read.
        """
        stored = self._reader.messages(self._wanted(everything, beside))
        while True:
            with _named_damage(self._path):
                item = next(stored, None)
            if item is None:
                return
            yield BagMessage(*item)

    def read(self, message: BagMessage) -> Any:
        """Return a message with its fields."""
        with _named_damage(self._path):
            return self._reader.deserialize(message.raw, message.connection.msgtype)

    def definition(self, connection: Connection) -> tuple[str, str]:
        """Return a connection's message definition and its type hash.

        Raises:
            SourceError: If neither the bag nor rosbags knows the type.
        """
        if connection.msgdef.format != MessageDefinitionFormat.NONE and connection.digest:
            return connection.msgdef.data, connection.digest
        try:
            store, name = self._reader.typestore, connection.msgtype
            return store.generate_msgdef(name, ros_version=2)[0], store.hash_rihs01(name)
        except (KeyError, TypesysError) as error:
            raise SourceError(
                f'{self._path} has no definition of {connection.msgtype}, so that '
                f'{connection.topic} can not be copied: leave --copy away'
            ) from error

    def _describe(self, connection: Connection) -> TopicFacts:
        """Say what a topic holds by its first message; damage is named where it is read."""
        message = None
        if connection.msgtype in (IMAGE, COMPRESSED, CAMERA_INFO):
            with suppress(Exception):
                _, _, raw = next(self._reader.messages([connection]))
                message = self._reader.deserialize(raw, connection.msgtype)
        return describe(connection.topic, connection.msgtype, message)

    def _wanted(self, everything: bool, beside: Collection[str]) -> list[Connection]:
        topics = {self.topic, *beside}
        return [c for c in self._reader.connections if everything or c.topic in topics]


@contextmanager
def open_bag(path: Path, topic: str = '', *, option: str = '--topic') -> Iterator[InputBag]:
    """Open a bag.

    Args:
        path: A rosbag2 folder, or a single .mcap or .db3.
        topic: The topic of images to read; empty for the only one there is.
        option: What the option is called that names the topic.

    Raises:
        SourceError: If it can't be read, then or later within the block, or has no such topic.
    """
    if not path.exists():
        raise SourceError(f'the bag {path} does not exist')
    if path.is_dir() and not (path / 'metadata.yaml').is_file():
        raise SourceError(f'{path} is a folder without metadata.yaml: give its .mcap or .db3')
    if path.is_file() and path.suffix not in READABLE:
        raise SourceError(
            f'{path} is neither a rosbag2 folder nor a single {" or ".join(READABLE)}; a ROS 1 '
            f'bag becomes one by: rosbags-convert --src IN.bag --dst OUT'
        )
    with ExitStack() as stack:
        with _named_damage(path):
            store = get_typestore(Stores.LATEST)
            reader = stack.enter_context(AnyReader([path], default_typestore=store))
        yield InputBag(reader, path, topic, option)


@contextmanager
def _named_damage(path: Path) -> Iterator[None]:
    """Turn whatever reading a damaged file raises into a SourceError.

    That is not rosbags' own errors alone: bytes that are wrong come up in zstd, SQLite, UTF-8, as
    a missing key, or as a size that no memory has.
    """
    try:
        yield
    except Exception as error:
        raise SourceError(
            f'{path} can not be read ({type(error).__name__}: {error}); a recording that was cut '
            f'off becomes whole by: mcap recover, or ros2 bag reindex'
        ) from error


class OutputBag:
    """A bag that is being written.

    Args:
        writer: The open writer.
    """

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._copies: dict[tuple[int, int], Connection] = {}

    def add_topic(self, topic: str, message_type: str, *, store: Any) -> Connection:
        """Add a topic whose type a typestore knows."""
        return self._writer.add_connection(topic, message_type, typestore=store)

    def write(self, connection: Connection, log_ns: int, raw: bytes | memoryview) -> None:
        """Write a serialised message."""
        self._writer.write(connection, log_ns, raw)

    def copy(self, message: BagMessage, source: InputBag) -> None:
        """Write an input message byte by byte, with its definition and its publisher's QoS.

        Raises:
            SourceError: If its definition is not known.
        """
        connection = message.connection
        key = (id(connection.owner), connection.id)
        if key not in self._copies:
            definition, digest = source.definition(connection)
            extra = connection.ext
            qos = extra.offered_qos_profiles if isinstance(extra, ConnectionExtRosbag2) else []
            self._copies[key] = self._writer.add_connection(
                connection.topic,
                connection.msgtype,
                msgdef=definition,
                rihs01=digest,
                offered_qos_profiles=qos,
            )
        self._writer.write(self._copies[key], message.log_ns, message.raw)


@contextmanager
def create_bag(path: Path) -> Iterator[OutputBag]:
    """Write a bag, which appears under its name only once it is whole.

    Args:
        path: A single file if it ends in .mcap, else the folder of a rosbag2 (MCAP too).

    Raises:
        SourceError: If it exists, or its name asks for another format.
    """
    if path.exists():
        raise SourceError(f'the output {path} exists: remove it, or give another name')
    if path.suffix in _REFUSED_OUTPUT:
        raise SourceError(f'the output {path} must end in .mcap, or be the name of a new folder')
    name = path.stem if path.suffix == '.mcap' else path.name
    part = path.with_name(f'.{path.name}.part')
    shutil.rmtree(part, ignore_errors=True)  # of a run that was killed
    part.mkdir(parents=True)
    # rosbags writes folders, and the metadata in one names its file after it.
    writer = Writer(part / name, version=9, storage_plugin=StoragePlugin.MCAP)
    writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
    try:
        with writer:
            yield OutputBag(writer)
        whole = part / name
        (whole / f'{name}.mcap' if path.suffix == '.mcap' else whole).rename(path)
    finally:
        shutil.rmtree(part, ignore_errors=True)
