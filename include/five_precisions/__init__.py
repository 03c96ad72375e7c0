"""Five Precisions (五个精准): reports in, figures, assessment and bulletin out (spec/01)."""

__version__ = "0.1.0"
