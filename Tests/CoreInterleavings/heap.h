/* The memory of the core under exploration: an access to memory that was freed is noticed. */
#ifndef EXPLORER_HEAP_H
#define EXPLORER_HEAP_H

/* Fails if the cell is in memory that a thread has freed in this run. */
void heap_require_alive(const void *cell);
/* Frees the blocks that the previous run has freed. Called before each run. */
void heap_reset(void);

#endif
