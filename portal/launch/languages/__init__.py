"""What translators get: every text that people see, of templates, Python, scripts, declarations (docs/languages.md)."""
