"""Text in, shorter text or vectors out."""
