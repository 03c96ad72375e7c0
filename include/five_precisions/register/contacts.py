"""Contacts: those of the files, and those that ops add beside them (docs/own-city.md#contacts-that-ops-add)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from five_precisions.errors import RefusedError, UsageError
from five_precisions.register.addresses import without_token
from five_precisions.register.checks import contact_key, why_wrong
from five_precisions.register.decision import reason_of, storable
from five_precisions.register.model import Contact, ContactRole
from five_precisions.warehouse import load_statement

# Two who change contacts at once wait for one another.
_LOCK = text("lock table registry.contact in share row exclusive mode")
# Who is not in the files keeps its contacts: it may owe as before, and gets word of it.
_FORGET_FILES = text("delete from registry.contact where institution_code = any(:codes) and added_at is null")
_FORGET = text("""
delete from registry.contact where institution_code = :institution_code and address = :address and role = :role
""")
_IS_KNOWN = text("select from registry.institution where code = :institution_code")


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredContact:
    """A contact as the warehouse has it."""

    institution_code: str
    address: str
    role: ContactRole
    fallback_address: str | None
    added_by: str | None
    """Who of ops added it; None where the files name it."""
    added_at: datetime | None
    reason: str | None

    @property
    def is_added(self) -> bool:
        """Whether ops added it, and the files do not name it."""
        return self.added_at is not None

    @property
    def contact(self) -> Contact:
        """The same as files have it."""
        return Contact(self.institution_code, self.address, self.role, self.fallback_address)


def read_contacts(connection: Connection, institution_code: str | None = None) -> list[RegisteredContact]:
    """The contacts of an institution, or of all, and where each comes from."""
    asked = {"institution_code": institution_code}
    rows = connection.execute(load_statement("register/contacts"), asked).mappings()
    return [RegisteredContact(**{**row, "role": ContactRole(row["role"])}) for row in rows]


def lock_contacts(connection: Connection) -> None:
    """Let nobody else change contacts until the transaction ends."""
    connection.execute(_LOCK)


def replace_contacts(connection: Connection, codes: Sequence[str], contacts: Iterable[Contact]) -> None:
    """Bring the contacts of institutions that the files name to what the files say.

    What ops have added stays; a contact that the files name by now is theirs from then on, and stands there once.

    Args:
        connection: To the warehouse.
        codes: Of the institutions that the files name.
        contacts: Of the files.
    """
    lock_contacts(connection)
    connection.execute(_FORGET_FILES, {"codes": list(codes)})
    named = {contact_key(contact): contact for contact in contacts}
    for added in read_contacts(connection):
        if contact_key(added.contact) in named:
            connection.execute(_FORGET, dataclasses.asdict(added.contact))
    if named:
        connection.execute(load_statement("register/save_contact"), list(map(dataclasses.asdict, named.values())))


def add_contact(connection: Connection, contact: Contact, *, reason: str, added_by: str) -> None:
    """Add a contact beside those of the files; `init` leaves it where it is.

    Args:
        connection: To the warehouse.
        contact: Whom to reach, and in which role.
        reason: Why; it stays on record.
        added_by: Who adds it.

    Raises:
        UsageError: there is no such institution, no transport takes the address, or the reason is none.
        RefusedError: the institution has this contact already.
    """
    said = reason_of(reason, "A contact is added for a reason")
    lock_contacts(connection)
    if connection.execute(_IS_KNOWN, {"institution_code": contact.institution_code}).first() is None:
        raise UsageError(f"{contact.institution_code} is not an institution of the register.")
    if (why := why_wrong(contact)) is not None:
        raise UsageError(f"The contact cannot be added: {why}")
    known = read_contacts(connection, contact.institution_code)
    if contact_key(contact) in {contact_key(each.contact) for each in known}:
        raise RefusedError(
            f"{contact.institution_code} has {without_token(contact.address)} as its {contact.role} already."
        )
    added: dict[str, Any] = {**dataclasses.asdict(contact), "reason": said, "added_by": storable(added_by)}
    connection.execute(load_statement("register/add_contact"), added)


def remove_contact(connection: Connection, contact: Contact) -> None:
    """Take away a contact that ops have added. Why stands in the record of whoever asks for it.

    Raises:
        RefusedError: the institution has no such contact, or the files name it: there it is taken out.
    """
    lock_contacts(connection)
    known = {contact_key(each.contact): each for each in read_contacts(connection, contact.institution_code)}
    found = known.get(contact_key(contact))
    if found is None:
        raise RefusedError(f"{contact.institution_code} has no contact {without_token(contact.address)} in this role.")
    if not found.is_added:
        raise RefusedError(
            f"{contact.institution_code} has {without_token(contact.address)} by contacts.csv; take it out there, and "
            "run: five-precisions init"
        )
    connection.execute(_FORGET, dataclasses.asdict(found.contact))
