"""The application: judges public contract opportunities by past awards and a language model."""
