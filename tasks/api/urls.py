"""The API."""
urlpatterns: list = []
