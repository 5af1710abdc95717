"""A passkey is made and signs in by itself, in a real browser with an authenticator that Chromium plays."""

from __future__ import annotations

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from playwright.sync_api import Browser, Page, expect

from accounts.models import User
from tests.web.live import LiveServer

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

PASSWORD = "alice-has-a-password"
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def sign_out(page: Page) -> None:
    page.goto("/account/logout/")
    page.get_by_role("main").get_by_role("button", name="Sign out").click()


def test_passkey_is_added_and_signs_in_alone(browser: Browser, server: LiveServer, alice: User) -> None:
    # The web process does not know the cheap hashes of the tests.
    alice.password = PBKDF2PasswordHasher().encode(PASSWORD, "salt", iterations=1)
    alice.save(update_fields=["password"])
    # Browsers know passkeys of names, not of addresses; localhost counts as safe.
    home = server.url.replace("127.0.0.1", "localhost")
    context = browser.new_context(base_url=home)
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})

    page.goto("/account/login/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("No passkey was used")

    page.get_by_label("Email").fill(alice.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(f"{home}/")
    page.goto("/account/2fa/webauthn/add/")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_label("Name").fill("My laptop")
    page.get_by_role("button", name="Add").click()
    page.wait_for_url("**/recovery-codes/")
    page.goto("/account/2fa/webauthn/")
    expect(page.get_by_role("row", name="My laptop")).to_contain_text("not yet")

    # As over plain HTTP.
    bare = context.new_page()
    bare.add_init_script("delete window.PublicKeyCredential")
    bare.goto("/account/2fa/webauthn/add/")
    expect(bare.get_by_role("alert")).to_contain_text("Passkeys work at a name over HTTPS")
    expect(bare.get_by_role("button", name="Add", exact=True)).to_be_hidden()

    sign_out(page)
    page.goto("/account/login/?next=/files")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url("**/files")
    context.close()
