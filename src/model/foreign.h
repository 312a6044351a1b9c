/* foreign.h - what a file is that is neither a checkpoint nor a model, told by its first bytes. */
#ifndef MODEL_FOREIGN_H
#define MODEL_FOREIGN_H

#include <stddef.h>
#include <stdint.h>

/* "a PNG picture", with a word on what to do where there is one; NULL where the bytes say nothing. */
const char *foreign_tell(const uint8_t *data, size_t size);

#endif
