"""Who merges texts that are near each other, and who finds them."""
