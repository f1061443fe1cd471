import BurstPool
