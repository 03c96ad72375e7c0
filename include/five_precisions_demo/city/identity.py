"""Invented people, companies, numbers and accounts, valid in form (rules L01, L02, H02)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Final

from stdnum.cn import ric, uscc

SURNAMES: Final = "陈林黄梁李张谭冯曾莫关敖柯容叶何刘罗苏蔡许谢阮钟洪邓冼利麦范"
COMPOUND_SURNAMES: Final = ("欧阳", "司徒")
GIVEN_FIRST: Final = "国建伟志文永德明金水木火土广昌家春秋少世宗显茂业兆英秀丽桂玉美月小亚"
GIVEN_SECOND: Final = "华强生荣辉平良全安富贵胜旺来福芬兰珍娣妹娟英梅花琼莲英发德光成添"

ISSUING_AREAS: Final = ("441702", "441721", "441723", "441781", "440722", "440724", "442829", "441704")
"""Where heads of household first registered; the older codes are long abolished and still stand on cards (L01)."""

_OLDEST = date(1944, 1, 1)
_YOUNGEST = date(1996, 12, 31)
_CARD_PREFIXES = ("622848", "622180", "621700", "623059")


def draw_name(rng: Random) -> str:
    """A person's name."""
    surname = rng.choice(COMPOUND_SURNAMES) if rng.random() < 0.01 else rng.choice(SURNAMES)
    if rng.random() < 0.2:
        return surname + rng.choice(GIVEN_SECOND)
    return surname + rng.choice(GIVEN_FIRST) + rng.choice(GIVEN_SECOND)


def draw_account(rng: Random) -> str:
    """A bank account of nineteen digits."""
    return rng.choice(_CARD_PREFIXES) + "".join(rng.choices("0123456789", k=13))


def draw_landline(rng: Random) -> str:
    """A landline of the city."""
    return f"0662-3{rng.randrange(10**6):06d}"


def draw_mobile(rng: Random) -> str:
    """A mobile number."""
    return f"1{rng.choice(('38', '59', '76', '88'))}{rng.randrange(10**8):08d}"


@dataclass(slots=True)
class IdentityRegistry:
    """Gives out resident IDs and 统一社会信用代码, none of them twice."""

    rng: Random
    _given: set[str] = field(default_factory=set)

    def resident_id(self) -> str:
        """A resident ID (GB 11643) with a real birth date and the right check digit."""
        while True:
            born = _OLDEST + timedelta(days=self.rng.randrange((_YOUNGEST - _OLDEST).days))
            body = f"{self.rng.choice(ISSUING_AREAS)}{born:%Y%m%d}{self.rng.randrange(1, 1000):03d}"
            number = body + ric.calc_check_digit(body + "0")
            if number not in self._given:
                self._given.add(number)
                return number

    def social_credit_code(self, county: str, *, is_cooperative: bool) -> str:
        """A 统一社会信用代码 (GB 32100) of an enterprise (91) or a farmers' cooperative (93)."""
        while True:
            organisation = "MA" + "".join(self.rng.choices("0123456789ABCDEFGHJKLMNPQRTUWXY", k=7))
            body = f"{'93' if is_cooperative else '91'}{county}{organisation}"
            number = body + uscc.calc_check_digit(body)
            if number not in self._given:
                self._given.add(number)
                return number


def spoil_check_character(code: str) -> str:
    """The same code with a wrong last character: some live codes fail the checksum (L02)."""
    return code[:-1] + ("7" if code[-1] != "7" else "8")
