"""A Django app whose workers stop or dawdle at a moment that a test names in the file ODD_WORKER: `claim 0`, `boot 15`.

The first worker that gets there takes the file away and writes its number beside it. 0 seconds: it is stopped for good.
The node looks after its processes more often than others, so that tests wait less until one is found.
"""
