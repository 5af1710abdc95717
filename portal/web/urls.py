"""The user's pages."""
from django.urls import path
app_name="web"
urlpatterns: list = []
