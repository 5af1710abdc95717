"""Live events: the channels of NOTIFY, who listens to them, and who is told."""
