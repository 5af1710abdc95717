"""Template tags of the operators' pages: the links and times that the lists show."""

from django import template

from tasks.admin import formats

register = template.Library()

register.simple_tag(formats.task_link, name="task_link")
register.simple_tag(formats.user_link, name="user_link")
register.simple_tag(formats.moment, name="moment")
