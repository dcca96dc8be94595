/* The one sentence about what went wrong in the world.
 *
 * Base of everything. Deliberately neither prints nor exits: whoever called decides. */
#include "base/fault.h"

#include <stdarg.h>

#include "base/text.h"

bool fault_set(struct fault *fault, const char *format, ...)
{
    struct text text = text_over(fault->sentence, sizeof fault->sentence);
    va_list arguments;
    va_start(arguments, format);
    text_format_list(&text, format, arguments);
    va_end(arguments);
    return false;
}
