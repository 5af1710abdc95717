"""The pages, one subject a file. A view parses, calls one lifecycle function, answers."""
