#!/usr/bin/env bash
# Apprise's mail writes a Chinese subject as one encoded word on one line, however long it is.
#
# Versions:   apprise 2.2.0, Python 3.11 to 3.13
# Behaviour:  It makes the mail with the standard library, whose `Header` folds by itself, and then writes it by
#             `as_string()`, which by default folds nothing. RFC 2047 allows 75 characters to an encoded word. A header
#             `Auto-Submitted` (RFC 3834) is not written either.
# Output seen:
#             lines of the subject: 1
#             longest encoded word: 849
#             Auto-Submitted: None
# Exit code:  0 while that holds, 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check apprise==2.2.0
cat > "$folder/show.py" <<'PYTHON'
import email
import re
import sys

from apprise import NotifyFormat
from apprise.plugins.email import NotifyEmail

[made] = NotifyEmail.prepare_emails(
    subject="金融精准扶贫工作情况的通报" * 7 + "完成",
    body="<p>body</p>",
    from_addr=(False, "from@example.test"),
    to=[(False, "to@example.test")],
    notify_format=NotifyFormat.HTML,
)
mail = email.message_from_string(made.body)
lines = mail["Subject"].splitlines()
longest = max(len(word) for word in re.findall(r"=\?\S+\?=", mail["Subject"]))
print(f"lines of the subject: {len(lines)}")
print(f"longest encoded word: {longest}")
print(f"Auto-Submitted: {mail['Auto-Submitted']}")
sys.exit(longest <= 75 or mail["Auto-Submitted"] is not None)
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
