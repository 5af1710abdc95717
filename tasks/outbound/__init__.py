"""Requests to addresses that users gave: pictures by URL, webhooks, http.request. Nothing else may call one."""
