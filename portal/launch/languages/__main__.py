"""`make languages`: takes new texts into the catalogues of each language and compiles them; ``--check`` only looks."""

from __future__ import annotations

import os
import sys


def main() -> int:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    # Neither is used: the texts are in the source, and no database is asked.
    os.environ.setdefault("SECRET_KEY", "for-reading-texts-alone-and-long-enough-for-the-check")
    os.environ.setdefault("DATABASE_URL", "postgres://portal@/portal")
    django.setup()
    from portal.launch.languages import catalogue
    from portal.launch.languages.found import name_of
    from portal.launch.languages.in_templates import bare_words

    texts = catalogue.all_texts()
    paths = [(folder / f"{domain}.po", domain) for folder in catalogue.folders() for domain in catalogue.DOMAINS]
    faults = [f"words outside of gettext: {place}" for place in bare_words()]
    if "--check" in sys.argv:
        faults += [fault for path, domain in paths for fault in catalogue.faults_of(path, texts[domain])]
    else:
        for path, domain in paths:
            sys.stdout.write(f"{name_of(path)}: {catalogue.write(path, texts[domain])} texts to be translated\n")
    sys.stdout.write("".join(f"{fault}\n" for fault in faults[:50]))
    if faults:
        sys.stdout.write("Run `make languages`, and translate what is empty in portal/locale/ (docs/languages.md).\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
