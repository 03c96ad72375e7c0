"""Institutions, divisions, contacts, obligations; months on record and deadlines.

See docs/own-city.md#register-files; docs/intake.md.
"""

from five_precisions.register.announcement import describe_open_deadlines
from five_precisions.register.conflicts import require_fit
from five_precisions.register.contacts import RegisteredContact, add_contact, read_contacts, remove_contact
from five_precisions.register.deadlines import deadline_of, last_day_of, load_holidays, years_unknown
from five_precisions.register.files import load_register
from five_precisions.register.leaving import (
    Closing,
    InstitutionState,
    RegisteredInstitution,
    close_institution,
    find_undecided,
    list_institutions,
)
from five_precisions.register.model import (
    Contact,
    ContactRole,
    Division,
    DivisionLevel,
    Institution,
    InstitutionKind,
    Obligation,
    Register,
)
from five_precisions.register.months import first_month, first_open_month, is_closed
from five_precisions.register.tables import Saved, open_period, read_register, save_register

__all__ = [
    "Closing",
    "Contact",
    "ContactRole",
    "Division",
    "DivisionLevel",
    "Institution",
    "InstitutionKind",
    "InstitutionState",
    "Obligation",
    "Register",
    "RegisteredContact",
    "RegisteredInstitution",
    "Saved",
    "add_contact",
    "close_institution",
    "deadline_of",
    "describe_open_deadlines",
    "find_undecided",
    "first_month",
    "first_open_month",
    "is_closed",
    "last_day_of",
    "list_institutions",
    "load_holidays",
    "load_register",
    "open_period",
    "read_contacts",
    "read_register",
    "remove_contact",
    "require_fit",
    "save_register",
    "years_unknown",
]
