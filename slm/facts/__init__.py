"""Facts read off texts: by rules, or by a language model."""
