"""Apprise's mail, with headers that every server takes (docs/outputs.md#messages).

Apprise 2.2 writes each header as one line, and a Chinese subject as one encoded word however long it is. RFC 2047
allows 75 characters to such a word and 76 to its line; servers refuse lines of more than 998 octets.
findings/apprise-writes-a-subject-as-one-encoded-word.sh holds while this is needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.header import Header, decode_header, make_header
from typing import Any, Final

from apprise.apprise import N_MGR
from apprise.exception import AppriseImproperlyConfigured
from apprise.plugins.email import NotifyEmail
from apprise.plugins.email.common import AppriseEmailException, EmailMessage
from apprise.plugins.email.smtp import SMTP_EXCEPTIONS, AppriseSMTPController

_LINE: Final = 76
_SHORTEST_WORD: Final = 40
"""Characters of an encoded word behind the longest of names; its own marks take twelve of them."""
_ENCODED_WORD: Final = re.compile(r"=\?[^?\s]+\?[bqBQ]\?[^?\s]*\?=")


class FoldedMail(NotifyEmail):  # type: ignore[no-untyped-call]
    """Apprise's plugin for mail, but for its headers: folded, and marked as written by no person."""

    def _protocol_headers(self, _: str) -> dict[str, str]:
        # RFC 3834: else an out-of-office notice answers every receipt.
        return {"Auto-Submitted": "auto-generated"}

    def send(self, body: str, title: str = "", *_: Any, attach: Any = None, body_format: Any = None, **__: Any) -> bool:
        """As Apprise's own, which offers no place between making a mail and handing it over.

        Args:
            body: Of the mail, as Apprise has converted it.
            title: The subject.
            attach: Apprise's attachments.
            body_format: Of the body.

        Returns:
            Whether the server took it for every recipient; why not, only the log has (transport.py).
        """
        self.throttle()  # type: ignore[no-untyped-call]
        server: dict[str, Any] = {
            name: getattr(self, name)
            for name in ("port", "secure_mode", "user", "password", "verify_certificate", "socket_connect_timeout")
        }
        is_taken = True
        try:
            with AppriseSMTPController(host=self.smtp_host, **server) as smtp:
                for message in self._messages(body, title, attach, body_format):
                    if self.is_delivered(message.recipient):
                        continue
                    if smtp.sendmail(str(self.from_addr[1]), message.to_addrs, fold_headers(message.body)):
                        self.mark_delivered(message.recipient)
                    else:
                        is_taken = False
        except (*SMTP_EXCEPTIONS, AppriseImproperlyConfigured, AppriseEmailException) as error:
            # Whoever listens there has the error itself at hand.
            self.logger.debug("Socket Exception: %s", error)
            is_taken = False
        self.pgp.prune()  # type: ignore[no-untyped-call]
        return is_taken

    def _messages(self, body: str, title: str, attach: Any, body_format: Any) -> Iterator[EmailMessage]:
        messages: Iterator[EmailMessage] = self.prepare_emails(
            subject=title,
            body=body,
            notify_format=self.resolve_format(body_format),
            from_addr=self.from_addr,
            to=self.targets,
            cc=self.cc,
            bcc=self.bcc,
            reply_to=self.reply_to,
            smtp_host=self.smtp_host,
            attach=attach,
            headers={"X-Application": self.app_id, **self.headers, **self._protocol_headers(body)},
            names=self.names,
            pgp=self.pgp,
            pgp_mode=self.pgp_mode,
            inline=self.inline,
            tzinfo=self.tzinfo,
        )
        return messages


def use_folded_mail() -> None:
    """Let Apprise send every mail of this process so, whoever asks it to; loads its plugins, which takes a second."""
    if N_MGR["mailto"] is not FoldedMail:
        N_MGR.add(FoldedMail, force=True)  # type: ignore[no-untyped-call]


def fold_headers(mail: str) -> str:
    """A mail whose header lines have at most 76 characters where they can be folded, and encoded words at most 75.

    What is below the headers stays as it is, byte by byte: it may be signed.
    """
    head, blank, body = mail.partition("\n\n")
    fields = re.sub(r"\n(?=[ \t])", "", head).split("\n")
    return "\n".join(map(_folded, fields)) + blank + body


def _folded(field: str) -> str:
    name, _, value = field.partition(": ")
    # A line of its own for each word, so that the first fits behind the name; no letter is split between two.
    longest = max(_LINE - len(name) - 2, _SHORTEST_WORD)
    words = _ENCODED_WORD.sub(lambda found: _shorter(found[0], longest), value).split(" ")
    lines = [f"{name}: {words[0]}"]
    for word in words[1:]:
        if word and len(lines[-1]) + 1 + len(word) > _LINE:
            lines.append("")
        lines[-1] += f" {word}"
    return "\n".join(lines)


def _shorter(encoded_word: str, longest: int) -> str:
    """An encoded word as several where it is too long: parted by blanks, which mean nothing between two of them."""
    if len(encoded_word) <= longest:
        return encoded_word
    words = str(make_header(decode_header(encoded_word)))
    return " ".join(Header(words, "utf-8").encode(maxlinelen=longest).split())
