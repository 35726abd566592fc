"""What routers remember: in this process, or shared by replicas through Redis."""
