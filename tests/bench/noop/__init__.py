"""An app that the bench brings: one task type that does nothing but say when it ran."""
