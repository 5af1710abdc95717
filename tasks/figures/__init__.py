"""How the system is doing: each figure has one definition here, and one cap."""
