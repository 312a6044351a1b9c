/* Encoding: protobuf.dev/programming-guides/encoding. */
#include "base/wire.h"

static bool read_varint(wire *w, uint64_t *number)
{
    *number = 0;
    for (unsigned shift = 0; shift < 64 && w->at < w->end; shift += 7) {
        uint8_t byte = *w->at++;
        *number |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return true;
    }
    return false;
}

static bool skip(wire *w, uint64_t size)
{
    if (size > (size_t)(w->end - w->at))
        return false;
    w->at += size;
    return true;
}

wire_status wire_next(wire *w, wire_field *f)
{
    uint64_t tag, size;
    *f = (wire_field){0};
    if (w->at == w->end)
        return WIRE_END;
    if (!read_varint(w, &tag) || tag >> 3 == 0 || tag >> 3 > UINT32_MAX >> 3)
        return WIRE_BROKEN;
    f->number = (uint32_t)(tag >> 3);
    f->type = (wire_type)(tag & 7);
    switch (f->type) {
    case WIRE_VARINT:
        return read_varint(w, &f->number_value) ? WIRE_FIELD : WIRE_BROKEN;
    case WIRE_FIXED64:
        return skip(w, 8) ? WIRE_FIELD : WIRE_BROKEN;
    case WIRE_FIXED32:
        return skip(w, 4) ? WIRE_FIELD : WIRE_BROKEN;
    case WIRE_BYTES:
        if (!read_varint(w, &size))
            return WIRE_BROKEN;
        f->data = w->at;
        f->size = (size_t)size;
        return skip(w, size) ? WIRE_FIELD : WIRE_BROKEN;
    default:
        return WIRE_BROKEN;
    }
}

wire wire_within(const wire_field *f)
{
    return (wire){f->data, f->data + f->size};
}
