"""Five Precisions (五个精准): reports in, figures, assessment and bulletin out (docs/field.md)."""

__version__ = "0.1.0"
