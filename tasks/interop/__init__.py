"""What lets other programs' idioms run on our lanes: `django.tasks`, executors, and code written for them."""
