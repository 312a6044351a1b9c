/* sdk_text.h - what inference SDKs say of errors, made fit for people. */
#ifndef ENGINE_SDK_TEXT_H
#define ENGINE_SDK_TEXT_H

#include <stddef.h>

/* Makes one line of a text, cut where it does not fit, without the places in the SDK's own C++ source that it is strewn
 * with, and the conditions and functions that stand there. */
void sdk_text_clean(const char *text, char *line, size_t size);

#endif
