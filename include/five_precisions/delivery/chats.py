"""What the chats of offices take, and how they refuse: with HTTP 200, and a number in the body that is not 0.

Apprise looks at the HTTP status alone, so a message that nobody got would count as sent. It also counts characters
where these services count bytes, and they refuse what is too long. From their public descriptions:

| chat | length | its number | means: later |
| --- | --- | --- | --- |
| WeCom 企业微信, robot and application | text of 2,048 bytes, UTF-8 | errcode | -1 busy, 45009 and 45033 too many |
| DingTalk 钉钉 | request of 20,000 bytes | errcode | -1 busy, 130101 and 410100 too many |
| Feishu 飞书, Lark | request of 20 KB | code | 11232 too many |

A number that stands nowhere here is a refusal: the service says that it did not take the message.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from apprise.plugins.base import NotifyBase
from apprise.plugins.dingtalk import NotifyDingTalk
from apprise.plugins.feishu import NotifyFeishu
from apprise.plugins.lark import NotifyLark
from apprise.plugins.wechat import NotifyWeChat
from apprise.plugins.wecombot import NotifyWeComBot

from five_precisions.delivery.answer import Outcome


@dataclass(frozen=True, slots=True)
class Chat:
    """One kind of chat."""

    longest: int
    """Characters of subject and text together that it takes of any script."""
    number: str
    """The field of its answer that is 0 where it took the message."""
    words: str
    """The field that says why not."""
    later: frozenset[int]
    """The numbers by which it asks to come again."""

    def refusal(self, body: bytes) -> tuple[Outcome, str] | None:
        """What an answer refuses and how, in the service's words; None where it took the message, or says neither."""
        try:
            answer = json.loads(body)
            number = int(answer[self.number])
        except (ValueError, TypeError, KeyError):
            return None
        if number == 0:
            return None
        outcome = Outcome.REFUSED_FOR_NOW if number in self.later else Outcome.REFUSED
        return outcome, f"{self.number} {number}: {answer.get(self.words, '')}"


# A Chinese character is three bytes in UTF-8, and six as JSON writes it in ASCII, which is how Apprise writes requests.
_WECOM = Chat(680, "errcode", "errmsg", frozenset({-1, 45009, 45033}))
_FEISHU = Chat(3_200, "code", "msg", frozenset({11232}))

CHATS: Final[dict[type[NotifyBase], Chat]] = {
    NotifyWeComBot: _WECOM,
    NotifyWeChat: _WECOM,
    NotifyDingTalk: Chat(3_200, "errcode", "errmsg", frozenset({-1, 130101, 410100})),
    NotifyFeishu: _FEISHU,
    NotifyLark: _FEISHU,
}
"""By Apprise's plugin."""
