/* Building the sentence that a speaker passes on. See speaker.h. */
#include "base/speaker.h"

#include <stdarg.h>

#include "base/text.h"

void speaker_say(const struct speaker *speaker, const char *format, ...)
{
    char line[SPEAKER_LINE_SIZE];
    struct text text = text_over(line, sizeof line);
    va_list arguments;
    va_start(arguments, format);
    text_format_list(&text, format, arguments);
    va_end(arguments);
    speaker->say(speaker->context, line);
}
