"""What is said as it happens: the channels of NOTIFY, who listens to them, and who is told."""
