# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Commands by topic and by `~/set_command`: checked, numbered and put in force, or refused."""

from collections.abc import Callable

from rclpy.node import Node

from affordance_ros.nodes.grounding.ground_request import NodeMailbox
from affordance_ros.nodes.grounding.status import StatusReporter
from affordance_ros.srv import SetCommand
from affordance_ros.text.commands import CommandError
from affordance_ros.text.commands import command_warning


class Commands:
    """Takes commands while it is open, and says why not while it is closed.

    Args:
        node: The node that offers `~/set_command`.
        mailbox: Where the command in force is kept.
        status: Where commands taken and refused are named.
    """

    def __init__(self, node: Node, mailbox: NodeMailbox, status: StatusReporter) -> None:
        self._mailbox = mailbox
        self._status = status
        self._check: Callable[[str], str] | None = None
        self._closed_because = ''
        node.create_service(SetCommand, '~/set_command', self._on_set_command)

    def open(self, check: Callable[[str], str]) -> None:
        """Take commands from now on; `check` cleans one or raises CommandError."""
        self._check = check

    def close(self, reason: str) -> None:
        """Refuse commands from now on, with a reason."""
        self._check = None
        self._closed_because = reason

    def accept(self, text: str, *, renew: bool = False) -> SetCommand.Response:
        """Put a command in force or say why not, on the status and in the answer.

        Args:
            text: The command.
            renew: Whether the command that is in force already gets a new number; else it stays,
                since many publish the same one over and over.
        """
        if self._check is None:
            return SetCommand.Response(accepted=False, reason=self._closed_because)
        try:
            command = self._check(text)
        except CommandError as error:
            reason = f'command rejected: {error}'
            self._status.reject(reason)
            return SetCommand.Response(accepted=False, reason=reason)
        warning = command_warning(command)
        in_force = self._mailbox.command
        if not renew and in_force is not None and in_force.text == command:
            self._status.confirm()
            return SetCommand.Response(accepted=True, reason=warning, command_id=in_force.id)
        bound = self._mailbox.set_command(command)
        self._status.accept(bound, warning)
        return SetCommand.Response(accepted=True, reason=warning, command_id=bound.id)

    def _on_set_command(
        self, request: SetCommand.Request, response: SetCommand.Response
    ) -> SetCommand.Response:
        return self.accept(request.command, renew=True)
