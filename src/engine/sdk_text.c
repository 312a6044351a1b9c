#include "engine/sdk_text.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"

/* Runs of blanks and line ends become one space. */
static void squeeze(const char *text, char *line, size_t size)
{
    size_t used = 0;
    for (; *text && used < size - 1; text++) {
        bool blank = (unsigned char)*text <= ' ';
        if (!blank || (used && line[used - 1] != ' '))
            line[used++] = blank ? ' ' : *text;
    }
    while (used && line[used - 1] == ' ')
        used--;
    line[used] = 0;
}

/* Whether a word is a place in C++ source: "src/core/src/any.cpp:153:", "/onnxruntime_src/…/conv.cc:48". */
static bool is_place(const char *word, size_t length)
{
    static const char *const extensions[] = {".cc", ".cpp", ".cxx", ".c", ".h", ".hpp", ".cu", ".cuh"};
    if (!memchr(word, '/', length))
        return false;
    while (length && (word[length - 1] == ':' || isdigit((unsigned char)word[length - 1])))
        length--;
    for (size_t i = 0; i < ARRAY_LEN(extensions); i++) {
        size_t n = strlen(extensions[i]);
        if (length > n && memcmp(word + length - n, extensions[i], n) == 0 && word[length] == ':')
            return true;
    }
    return false;
}

/* Takes `tail` from the end of line[0, used), if it is there. */
static bool cut(const char *line, size_t *used, const char *tail)
{
    size_t n = strlen(tail);
    if (*used < n || memcmp(line + *used - n, tail, n))
        return false;
    *used -= n;
    return true;
}

/* What led to a place: OpenVINO's "Exception from", and "Check 'x > 0' failed at". */
static void cut_lead(const char *line, size_t *used)
{
    static const char check[] = "Check '";
    size_t n = sizeof check - 1;
    if (cut(line, used, "Exception from ") || !cut(line, used, "failed at "))
        return;
    for (size_t i = *used; i >= n; i--) {
        if (memcmp(line + i - n, check, n) == 0) {
            *used = i - n;
            return;
        }
    }
}

/* Past the function that ONNX Runtime names behind a place: "onnxruntime::Status onnxruntime::Conv::Compute(int)
 * const". */
static const char *skip_function(const char *rest)
{
    const char *end = strchr(rest, ')'), *scope = strstr(rest, "::");
    if (!end || !scope || scope > end)
        return rest;
    rest = end + 1;
    rest += strncmp(rest, " const", 6) == 0 ? 6 : 0;
    if (strncmp(rest, " [with ", 7) == 0 && (end = strchr(rest, ']')))
        rest = end + 1;
    return rest + (*rest == ' ');
}

void sdk_text_clean(const char *text, char *line, size_t size)
{
    size_t used = 0;
    squeeze(text, line, size);
    for (const char *rest = line; *rest;) {
        size_t length = strcspn(rest, " ");
        const char *next = rest + length + (rest[length] == ' ');
        if (is_place(rest, length)) {
            bool function = rest[length - 1] != ':';
            cut_lead(line, &used);
            rest = function ? skip_function(next) : next;
            continue;
        }
        memmove(line + used, rest, (size_t)(next - rest));
        used += (size_t)(next - rest);
        rest = next;
    }
    line[used] = 0;
    while (used && line[used - 1] == ' ')
        line[--used] = 0;
}
