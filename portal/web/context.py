def portal(request): return {}
