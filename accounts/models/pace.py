"""How often something was tried lately, counted for all processes: `accounts.pace` is its only writer."""

from __future__ import annotations

from django.db import models


class Pace(models.Model):
    """One counter. Its key is a digest: neither addresses of people nor those of machines are kept here."""

    key = models.BinaryField(primary_key=True)
    # How many tries are remembered at the time of the last; fewer with every while that passes after it.
    level = models.FloatField()
    tried_at = models.DateTimeField()

    class Meta:
        db_table = "pace"
        indexes = [models.Index("tried_at", name="pace_tried_at")]

    def __str__(self) -> str:
        return bytes(self.key).hex()
