/* wire.h - the fields of a protobuf message one by one, in place: nothing is copied, nothing nests by itself. */
#ifndef BASE_WIRE_H
#define BASE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is left of a message. */
typedef struct wire {
    const uint8_t *at, *end;
} wire;

typedef enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 } wire_type;

typedef struct wire_field {
    uint32_t number;
    wire_type type;
    uint64_t number_value; /* of a varint */
    const uint8_t *data;   /* of bytes: a text, or a message */
    size_t size;
} wire_field;

typedef enum wire_status { WIRE_END, WIRE_FIELD, WIRE_BROKEN } wire_status;

/* Reads the next field and steps over it. Groups, which protobuf gave up, count as broken. */
wire_status wire_next(wire *w, wire_field *f);
/* The fields of a WIRE_BYTES field that is a message. */
wire wire_within(const wire_field *f);

#endif
