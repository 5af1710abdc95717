"""Watching: server-sent events and long-poll, on the server's event loop.

Nothing here decides who may see what. Each request first goes through the ordinary views in a thread, with all
middleware; what they answer is either sent as it is, or says that the request may wait, and then it waits here: without
a thread, without a database connection.
"""
