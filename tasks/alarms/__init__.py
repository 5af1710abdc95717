"""Alarms: what needs a person now, where it is mended, and telling operators once of each beginning and each end."""
