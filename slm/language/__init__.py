"""Language models behind ``TextModel``, and the summaries that they write."""
