"""System B's Python interface by its old names, over the REST API: needs neither Django nor the database.

    from tasks.interop.system_b import load_balancer, queue_manager

`PORTAL_URL` and `PORTAL_TOKEN` name the portal. Its executor is `tasks.interop.futures.TaskPoolExecutor`, in process.
"""

from tasks.interop.system_b.load_balancer import LoadBalancer, load_balancer
from tasks.interop.system_b.queue_manager import QueueManager, queue_manager

__all__ = ["LoadBalancer", "QueueManager", "load_balancer", "queue_manager"]
