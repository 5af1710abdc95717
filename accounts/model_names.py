"""Names of models and their fields in the reader's language: they are declared in English, most of them by Django."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy


def translate_names(app: AppConfig) -> None:
    """Have an app's names translated where they are shown. Migrations see what was declared."""
    for model in app.get_models():
        meta = model._meta
        meta.verbose_name = gettext_lazy(str(meta.verbose_name))
        meta.verbose_name_plural = gettext_lazy(str(meta.verbose_name_plural))
        for field in (*meta.local_fields, *meta.local_many_to_many):
            field.verbose_name = gettext_lazy(str(field.verbose_name))
