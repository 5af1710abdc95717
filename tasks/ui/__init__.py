"""How things look and read, in the portal and on the operators' screens alike."""
