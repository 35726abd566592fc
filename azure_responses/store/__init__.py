"""What routers remember: in this process, or shared by replicas through Redis."""

__all__: list[str] = []
